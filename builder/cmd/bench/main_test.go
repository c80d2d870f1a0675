package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const printed = `goos: linux
BenchmarkCheckProcess/250-2         	       3	 200000000 ns/op	         0.1500 cpu-s/op	        60.00 peak-MiB
BenchmarkCheckProcess/500-2         	       3	 400000000 ns/op	         0.3000 cpu-s/op	        90.00 peak-MiB
BenchmarkSchedule/layers/100-2      	     100	  10000000 ns/op	       140.0 µs/step
BenchmarkSchedule/layers/1000-2     	      10	 140000000 ns/op	       141.0 µs/step
BenchmarkSchedule/flat/100-2        	     100	   1500000 ns/op	        15.0 µs/step
BenchmarkSchedule/flat/1000-2       	      10	  15000000 ns/op	        16.0 µs/step
BenchmarkPlanMany/1000-2            	       1	1270000000 ns/op	        83.00 heap-MiB
BenchmarkPlanMany/2000-2            	       1	2600000000 ns/op	       157.0 heap-MiB
BenchmarkScale/1-1 1 12334000000000 ns/op 1.0000 efficiency 26072 requests 441.3 GB
BenchmarkScale/64-1 1 274000000000 ns/op 0.7031 efficiency 68242 requests 1369 GB
PASS
`

func TestPlot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := run([]string{"plot", dir, "1 December 2026"}, strings.NewReader(printed)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"check-time.svg":   {"250: 0.2<", "500: 0.4<", "500: 0.3<", "1 December 2026"},
		"check-memory.svg": {"250: 60<", "500: 90<"},
		"scheduling.svg":   {"100: 140<", "1,000: 16<"},
		"planning.svg":     {"1,000: 1.27<", "2,000: 2.6<"},
		"scale.svg":        {"1: 1<", "64: 0.7"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s does not have %q", name, w)
			}
		}
	}
}

// A benchmark that failed leaves the pictures alone.
func TestPlotOfHalf(t *testing.T) {
	dir := t.TempDir()
	half, _, _ := strings.Cut(printed, "BenchmarkSchedule/flat")
	err := run([]string{"plot", dir, "today"}, strings.NewReader(half))
	for _, lacking := range []string{"scheduling.svg", "scale.svg"} {
		if err == nil || !strings.Contains(err.Error(), lacking) {
			t.Errorf("error %v does not mention %s", err, lacking)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%d files are written, error %v", len(entries), err)
	}
}

func TestTree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	if err := run([]string{"tree", dir, "30"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"features", "flavours"} {
		if entries, err := os.ReadDir(filepath.Join(dir, part)); err != nil || len(entries) != 30 {
			t.Errorf("%s has %d entries, error %v", part, len(entries), err)
		}
	}
	for _, args := range [][]string{{"tree", dir, "30"}, {"tree", dir + "2", "0"}, {"tree", dir + "2", "many"}, {"tree", dir}, {"draw"}, {}} {
		if err := run(args, nil); err == nil {
			t.Errorf("%v succeeds", args)
		}
	}
	if _, err := os.Stat(dir + "2"); err == nil {
		t.Error("a tree that was refused is there")
	}
}
