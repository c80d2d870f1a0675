package drawing

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// SVG draws a graph as an SVG document, in light or dark as the viewer prefers. It returns an error
// for an arrow that does not point to a later box, and those of w.
func SVG(w io.Writer, g *Graph) error {
	for _, a := range g.Arrows {
		if a.From < 0 || a.From >= a.To || a.To >= len(g.Boxes) {
			return fmt.Errorf("draw a graph: the arrow %d to %d does not point to a later one of %d boxes", a.From, a.To, len(g.Boxes))
		}
	}
	a := arrange(g)
	width := a.place()
	top := legendHeight(g)
	legendWidth := legendWidth(g)
	height := top + float64(len(a.rows))*rowHeight - (rowHeight - boxHeight) + 2*margin
	p := picture{top: top}
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s" style="--width: %[1]spx" role="img" aria-label="%[3]s">`+"\n",
		number(max(width, legendWidth)), number(height), escape(g.Title))
	p.style(g)
	// A page that shows the picture may be light where its viewer prefers dark.
	p.printf(`<rect class="ground" width="100%%" height="100%%" rx="6"/>` + "\n")
	p.legend(g)
	for _, trail := range a.trails {
		p.arrow(trail)
	}
	for i, s := range a.boxes {
		p.box(&g.Boxes[i], g.Kinds, s)
	}
	p.printf("</svg>\n")
	_, err := p.WriteTo(w)
	return err
}

// picture is the text of a picture. top is where the first row begins.
type picture struct {
	bytes.Buffer
	top float64
}

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// y is the upper edge of a row.
func (p *picture) y(row int) float64 { return p.top + margin + float64(row)*rowHeight }

// number writes pixels with one digit after the point, which is the same text on
// every machine.
func number(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", x+0), ".0")
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder has no errors
	return b.String()
}

// style has the colours, which begin with the class "graph": the picture can be part of
// a page.
func (p *picture) style(g *Graph) {
	p.printf("<style>\n.graph text { font: 12px ui-monospace, \"DejaVu Sans Mono\", Menlo, Consolas, monospace; fill: #1b1f24; }\n" +
		".graph .note { font-size: 10.5px; fill: #57606a; }\n" +
		".graph rect { stroke: #57606a; }\n.graph .ground { fill: #fff; stroke: none; }\n.graph .dashed { stroke-dasharray: 4 3; }\n.graph path { fill: none; stroke: #8c959f; stroke-width: 1.2; }\n.graph .tip { fill: #8c959f; stroke: none; }\n")
	for i, k := range g.Kinds {
		p.printf(".graph .k%d { fill: %s; }\n", i, k.Light)
	}
	p.printf("@media (prefers-color-scheme: dark) {\n.graph text { fill: #e6edf3; }\n.graph .note { fill: #c3cbd3; }\n.graph rect { stroke: #8b949e; }\n.graph .ground { fill: #0d1117; stroke: none; }\n.graph path { stroke: #6e7681; }\n.graph .tip { fill: #6e7681; }\n")
	for i, k := range g.Kinds {
		p.printf(".graph .k%d { fill: %s; }\n", i, k.Dark)
	}
	p.printf("}\n</style>\n")
}

// legendWidth and legendHeight are the size of the legend, which is one line.
func legendWidth(g *Graph) float64 {
	x := margin
	for _, k := range g.Kinds {
		x += legendStep(k)
	}
	return x
}

func legendHeight(g *Graph) float64 {
	if len(g.Kinds) == 0 {
		return 0
	}
	return 28
}

func legendStep(k Kind) float64 { return 22 + float64(len([]rune(k.Name)))*charWidth + gap }

func (p *picture) legend(g *Graph) {
	x := margin
	for i, k := range g.Kinds {
		p.printf(`<rect class="%s" x="%s" y="%s" width="14" height="14" rx="3"/><text x="%s" y="%s">%s</text>`+"\n",
			class(i, k.Dashed), number(x), number(margin), number(x+20), number(margin+11), escape(k.Name))
		x += legendStep(k)
	}
}

func class(kind int, dashed bool) string {
	if dashed {
		return fmt.Sprintf("k%d dashed", kind)
	}
	return fmt.Sprintf("k%d", kind)
}

// box draws a box with its lines of text.
func (p *picture) box(b *Box, kinds []Kind, s *spot) {
	y := p.y(s.row)
	p.printf(`<g>`)
	if b.Hint != "" {
		p.printf(`<title>%s</title>`, escape(b.Hint))
	}
	p.printf(`<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="5"/>`,
		class(b.Kind, kinds[b.Kind].Dashed), number(s.x-s.width/2), number(y), number(s.width), number(boxHeight))
	base := y + boxHeight/2 + 4
	if b.Note != "" {
		p.printf(`<text class="note" text-anchor="middle" x="%s" y="%s">%s</text>`, number(s.x), number(base+9), escape(b.Note))
		base -= 6
	}
	p.printf(`<text text-anchor="middle" x="%s" y="%s">%s</text></g>`+"\n", number(s.x), number(base), escape(b.Name))
}

// arrow draws a line from the lower edge of a box to the upper edge of another one, through the
// points between them.
func (p *picture) arrow(trail []*spot) {
	first, last := trail[0], trail[len(trail)-1]
	x, y := first.x, p.y(first.row)+boxHeight
	p.printf(`<path d="M%s %s`, number(x), number(y))
	for _, s := range trail[1:] {
		to := p.y(s.row)
		if s == last {
			to -= tip
		}
		bend := (to - y) / 2
		p.printf(` C%s %s %s %s %s %s`, number(x), number(y+bend), number(s.x), number(to-bend), number(s.x), number(to))
		x, y = s.x, to
		if s != last {
			y += boxHeight
			p.printf(` V%s`, number(y))
		}
	}
	p.printf(`"/><path class="tip" d="M%s %s l-%[3]s -%[4]s h%[5]s z"/>`+"\n", number(x), number(y+tip), number(tip/2), number(tip), number(tip))
}

// tip is the length of the tip of an arrow, and its width.
const tip = 7.0
