package drawing

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func proportional() *Chart {
	return &Chart{Title: "time <of> it", Note: "today", X: "features", Y: "seconds", Lines: []Line{
		{Name: "clock", Light: "#000", Dark: "#fff", Points: []Point{{2000, 1.24}, {500, 0.31}, {1000, 0.62}}},
		{Name: "target", Light: "#111", Dark: "#eee", Dashed: true, Points: []Point{{500, 0.15}, {2000, 0.6}}},
	}}
}

// Costs proportional to the size are on a straight line through the corner, in the order of sizes.
func TestChart(t *testing.T) {
	c := proportional()
	x, y, err := c.axes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Lines[0].Points {
		along, up := (x.at(p.X)-plotLeft)/(plotRight-plotLeft), (plotBottom-y.at(p.Y))/(plotBottom-plotTop)
		if along <= 0 || along > 1 || up <= 0 || up > 1 || math.Abs(up/along-1.24/1.25) > 0.01 {
			t.Errorf("%v is at %.2f, %.2f of the chart", p, along, up)
		}
	}
	if want := []float64{0, 500, 1000, 1500, 2000}; !slices.Equal(x.ticks, want) {
		t.Errorf("ticks %v, want %v", x.ticks, want)
	}
	var out bytes.Buffer
	if err := ChartSVG(&out, c); err != nil {
		t.Fatal(err)
	}
	counts, texts := map[string]int{}, strings.Builder{}
	for d := xml.NewDecoder(bytes.NewReader(out.Bytes())); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			counts[v.Name.Local]++
		case xml.CharData:
			texts.Write(v)
		}
	}
	if counts["circle"] != 5 {
		t.Errorf("%d points, want 5", counts["circle"])
	}
	for _, want := range []string{"time <of> it", "today", "features", "seconds", "clock", "target", "2,000", "1.24", "prefers-color-scheme: dark"} {
		if !strings.Contains(texts.String(), want) {
			t.Errorf("the picture does not have %q", want)
		}
	}
}

func TestChartDecades(t *testing.T) {
	c := &Chart{Decades: true, Lines: []Line{{Name: "a", Points: []Point{{100, 140}, {1000, 141}, {10_000, 139}}}}}
	x, _, err := c.axes()
	if err != nil {
		t.Fatal(err)
	}
	if left, middle := x.at(1000)-x.at(100), x.at(10_000)-x.at(1000); math.Abs(left-middle) > 0.01 || len(x.ticks) != 3 {
		t.Errorf("a factor of ten is %.1f and %.1f pixels wide, with ticks %v", left, middle, x.ticks)
	}
}

func TestChartsThatCannotBeDrawn(t *testing.T) {
	for name, c := range map[string]*Chart{
		"no lines":        {},
		"one point":       {Lines: []Line{{Name: "a", Points: []Point{{1, 1}}}}},
		"no size":         {Lines: []Line{{Name: "a", Points: []Point{{0, 1}, {1, 1}}}}},
		"not a number":    {Lines: []Line{{Name: "a", Points: []Point{{1, math.NaN()}, {2, 1}}}}},
		"without a bound": {Lines: []Line{{Name: "a", Points: []Point{{1, math.Inf(1)}, {2, 1}}}}},
	} {
		var out bytes.Buffer
		if err := ChartSVG(&out, c); err == nil || out.Len() != 0 {
			t.Errorf("%s: %d bytes are drawn, error %v", name, out.Len(), err)
		}
	}
}

func TestTickLabel(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.30000000000000004: "0.3", 1.2345: "1.23", 140: "140", 1000: "1,000", 1234567.8: "1,234,568"} {
		if got := tickLabel(v); got != want {
			t.Errorf("%v is written as %s, want %s", v, got, want)
		}
	}
}
