package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/drawing"
)

// measured is a figure of a benchmark by the size at the end of its name. The same size may be there
// several times (-count): the last one is used.
type measured map[figure]map[float64]float64

// figure is a kind of measurement: a benchmark without its size, and a unit.
type figure struct{ benchmark, unit string }

// charts are all of them, by the name of the file.
var charts = map[string]struct {
	chart drawing.Chart
	lines []drawn
}{
	"check-time.svg": {drawing.Chart{Title: "check: time", X: "features, and as many flavours", Y: "seconds"}, []drawn{
		{figure{"BenchmarkCheckProcess", "ns/op"}, 1e-9, "by the clock"},
		{figure{"BenchmarkCheckProcess", "cpu-s/op"}, 1, "of processors"},
	}},
	"check-memory.svg": {drawing.Chart{Title: "check: most memory", X: "features, and as many flavours", Y: "MiB"}, []drawn{
		{figure{"BenchmarkCheckProcess", "peak-MiB"}, 1, "resident memory"},
	}},
	"scheduling.svg": {drawing.Chart{Title: "Scheduling: time for each step that does nothing", X: "steps", Y: "microseconds a step", Decades: true}, []drawn{
		{figure{"BenchmarkSchedule/layers", "µs/step"}, 1, "on up to a hundred layers"},
		{figure{"BenchmarkSchedule/flat", "µs/step"}, 1, "that need nothing"},
	}},
	"planning.svg": {drawing.Chart{Title: "Planning flavours together, and dividing them", X: "flavours", Y: "seconds"}, []drawn{
		{figure{"BenchmarkPlanMany", "ns/op"}, 1e-9, "by the clock"},
	}},
	"scale.svg": {drawing.Chart{Title: "Simulation: efficiency of many workers", X: "workers", Y: "times faster than one worker, for each worker", Decades: true}, []drawn{
		{figure{"BenchmarkScale", "efficiency"}, 1, "200 flavours for two architectures"},
	}},
}

// drawn is a figure as a line: the factor that gives it the unit of the axis, and its name.
type drawn struct {
	figure figure
	factor float64
	name   string
}

// looks are the colours of the first line and of the second one.
var looks = []drawing.Line{{Light: "#0969da", Dark: "#58a6ff"}, {Light: "#bc4c00", Dark: "#f0883e", Dashed: true}}

// plot draws all charts, and then writes them to a directory: none if one lacks a figure.
func plot(dir, note string, in io.Reader) error {
	all, err := read(in)
	if err != nil {
		return err
	}
	pictures := map[string][]byte{}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(charts)) {
		c := charts[name]
		c.chart.Note = note
		for i, d := range c.lines {
			line := looks[i]
			line.Name = d.name
			for size, value := range all[d.figure] {
				line.Points = append(line.Points, drawing.Point{X: size, Y: value * d.factor})
			}
			c.chart.Lines = append(c.chart.Lines, line)
		}
		var out bytes.Buffer
		if err := drawing.ChartSVG(&out, &c.chart); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		pictures[name] = out.Bytes()
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range pictures {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// benchmarkName is the benchmark, its size, and how many processors Go used, which it leaves out for one.
var benchmarkName = regexp.MustCompile(`^(Benchmark\S+)/(\d+)(-\d+)?$`)

// read returns the figures in the output of `go test -bench`: lines of a name, how often it was run, and
// pairs of a value and a unit.
func read(in io.Reader) (measured, error) {
	all := measured{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			continue
		}
		name := benchmarkName.FindStringSubmatch(fields[0])
		if name == nil {
			continue
		}
		size, err := strconv.ParseFloat(name[2], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fields[0], err)
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", fields[0], err)
			}
			f := figure{name[1], fields[i+1]}
			if all[f] == nil {
				all[f] = map[float64]float64{}
			}
			all[f][size] = value
		}
	}
	return all, lines.Err()
}
