package drawing

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Chart shows measurements at several sizes, as lines over an axis of sizes.
type Chart struct {
	Title string // above the lines
	Note  string // below them: when and where it was measured
	X, Y  string // names of the axes, with units
	// Decades makes each factor of ten as wide as the others. Without it the X axis begins at 0 and
	// is even, as the Y axis always is: costs proportional to the size are a straight line.
	Decades bool
	Lines   []Line
}

// Line is one line of a chart: its name in the legend, its colours on light and dark ground as in CSS,
// and its points in any order.
type Line struct {
	Name        string
	Light, Dark string
	Dashed      bool
	Points      []Point
}

// Point is one measurement: the size, and the cost.
type Point struct{ X, Y float64 }

// Sizes in pixels: of the picture, and of where the lines are in it.
const (
	chartWidth, chartHeight         = 640.0, 340.0
	plotLeft, plotRight             = 70.0, 610.0
	plotTop, plotBottom             = 76.0, 262.0
	mostTicks               float64 = 5
)

// axis maps values to pixels. Its ticks are the values that are labelled.
type axis struct {
	ticks    []float64
	from, to float64 // pixels
	low, top float64 // values, or their logarithms
	decades  bool
}

func (a axis) at(v float64) float64 {
	if a.decades {
		v = math.Log10(v)
	}
	return a.from + (v-a.low)/(a.top-a.low)*(a.to-a.from)
}

// even is an axis from 0 to at least the largest value, with ticks at round values.
func even(largest, from, to float64) axis {
	step := math.Pow(10, math.Floor(math.Log10(largest)))
	for _, fraction := range []float64{0.1, 0.2, 0.25, 0.5, 1, 2} {
		if largest/(step*fraction) <= mostTicks {
			step *= fraction
			break
		}
	}
	a := axis{from: from, to: to, top: math.Ceil(largest/step-1e-9) * step}
	for i := 0.0; i*step <= a.top+step/2; i++ {
		a.ticks = append(a.ticks, i*step)
	}
	return a
}

// decades is an axis of powers of ten that has room for all values.
func decades(smallest, largest, from, to float64) axis {
	low := math.Floor(math.Log10(smallest))
	a := axis{from: from, to: to, decades: true, low: low, top: max(math.Ceil(math.Log10(largest)), low+1)}
	for e := a.low; e <= a.top; e++ {
		a.ticks = append(a.ticks, math.Pow(10, e))
	}
	return a
}

// axes returns those of a chart, or an error if it has a line that cannot be drawn.
func (c *Chart) axes() (x, y axis, err error) {
	var xs, ys []float64
	for _, l := range c.Lines {
		if len(l.Points) < 2 {
			return x, y, fmt.Errorf("draw a chart: %q has %d points, and a line needs two", l.Name, len(l.Points))
		}
		for _, p := range l.Points {
			if !(p.X > 0 && p.Y >= 0) || math.IsInf(p.X, 0) || math.IsInf(p.Y, 0) {
				return x, y, fmt.Errorf("draw a chart: %q has a point at %v, %v", l.Name, p.X, p.Y)
			}
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
	}
	if len(xs) == 0 {
		return x, y, errors.New("draw a chart: it is without lines")
	}
	y = even(max(slices.Max(ys), math.SmallestNonzeroFloat32), plotBottom, plotTop)
	if c.Decades {
		return decades(slices.Min(xs), slices.Max(xs), plotLeft, plotRight), y, nil
	}
	return even(slices.Max(xs), plotLeft, plotRight), y, nil
}

// ChartSVG draws a chart as an SVG document, in light or dark as the viewer prefers. It returns an error for a
// line of less than two points, for points that cannot be placed, and those of w.
func ChartSVG(w io.Writer, c *Chart) error {
	x, y, err := c.axes()
	if err != nil {
		return err
	}
	var p picture
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s" role="img" aria-label="%[3]s">`+"\n",
		number(chartWidth), number(chartHeight), escape(c.Title))
	p.chartStyle(c)
	p.printf(`<rect class="ground" width="100%%" height="100%%" rx="6"/>` + "\n")
	p.text("title", "start", plotLeft, 24, c.Title)
	p.chartLegend(c)
	for _, v := range y.ticks {
		p.printf(`<path class="grid" d="M%s %sH%s"/>`, number(plotLeft), number(y.at(v)), number(plotRight))
		p.text("", "end", plotLeft-8, y.at(v)+4, tickLabel(v))
	}
	for _, v := range x.ticks {
		p.printf(`<path class="grid" d="M%s %sV%s"/>`, number(x.at(v)), number(plotTop), number(plotBottom))
		p.text("", "middle", x.at(v), plotBottom+18, tickLabel(v))
	}
	p.text("", "middle", (plotLeft+plotRight)/2, plotBottom+40, c.X)
	p.printf(`<text text-anchor="middle" transform="translate(18 %s) rotate(-90)">%s</text>`+"\n", number((plotTop+plotBottom)/2), escape(c.Y))
	for i, l := range c.Lines {
		p.line(i, l, x, y)
	}
	p.text("note", "start", plotLeft, chartHeight-14, c.Note)
	p.printf("</svg>\n")
	_, err = p.WriteTo(w)
	return err
}

func (p *picture) text(class, anchor string, x, y float64, s string) {
	p.printf(`<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`+"\n", class, anchor, number(x), number(y), escape(s))
}

// chartStyle has the colours, as those of graphs.
func (p *picture) chartStyle(c *Chart) {
	p.printf("<style>\n.chart text { font: 12px system-ui, \"DejaVu Sans\", sans-serif; fill: #1b1f24; }\n.chart .title { font-size: 14px; font-weight: 600; }\n" +
		".chart .note { font-size: 10.5px; fill: #57606a; }\n.chart .ground { fill: #fff; }\n.chart .grid { stroke: #d0d7de; stroke-width: 1; }\n.chart .line { fill: none; stroke-width: 2; }\n" +
		".chart .dashed { stroke-dasharray: 6 4; }\n")
	for i, l := range c.Lines {
		p.printf(".chart .l%d { stroke: %s; }\n.chart .p%[1]d { fill: %[2]s; }\n", i, l.Light)
	}
	p.printf("@media (prefers-color-scheme: dark) {\n.chart text { fill: #e6edf3; }\n.chart .note { fill: #c3cbd3; }\n.chart .ground { fill: #0d1117; }\n.chart .grid { stroke: #30363d; }\n")
	for i, l := range c.Lines {
		p.printf(".chart .l%d { stroke: %s; }\n.chart .p%[1]d { fill: %[2]s; }\n", i, l.Dark)
	}
	p.printf("}\n</style>\n")
}

func (p *picture) chartLegend(c *Chart) {
	x := plotLeft
	for i, l := range c.Lines {
		p.printf(`<path class="%s" d="M%s 48h24"/>`, lineClass(i, l), number(x))
		p.text("", "start", x+30, 52, l.Name)
		x += 30 + float64(len([]rune(l.Name)))*charWidth + 2*gap
	}
}

func lineClass(i int, l Line) string {
	if l.Dashed {
		return fmt.Sprintf("line l%d dashed", i)
	}
	return fmt.Sprintf("line l%d", i)
}

// line draws a line with a dot at each point, which shows its value when the pointer rests on it, as the last
// one does always.
func (p *picture) line(i int, l Line, x, y axis) {
	points := slices.SortedFunc(slices.Values(l.Points), func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	for j, at := range points {
		command := "L"
		if j == 0 {
			p.printf(`<path class="%s" d="`, lineClass(i, l))
			command = "M"
		}
		p.printf("%s%s %s", command, number(x.at(at.X)), number(y.at(at.Y)))
	}
	p.printf(`"/>` + "\n")
	for _, at := range points {
		p.printf(`<circle class="p%d" cx="%s" cy="%s" r="3.5"><title>%s: %s</title></circle>`+"\n", i, number(x.at(at.X)), number(y.at(at.Y)), tickLabel(at.X), tickLabel(at.Y))
	}
	last := points[len(points)-1]
	p.text("", "end", x.at(last.X)-6, y.at(last.Y)-7, tickLabel(last.Y))
}

// tickLabel writes a value with three digits, and thousands apart from the rest.
func tickLabel(v float64) string {
	if v >= 1000 {
		n := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
		for i := len(n) - 3; i > 0; i -= 3 {
			n = n[:i] + "," + n[i:]
		}
		return n
	}
	digits, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64) // it was formatted here
	return strconv.FormatFloat(digits, 'f', -1, 64)
}
