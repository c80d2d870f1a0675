package drawing

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// diamond is a graph with an arrow that passes a row.
func diamond() *Graph {
	return &Graph{
		Title:  "a <diamond>",
		Boxes:  []Box{{Name: "top", Note: "begins"}, {Name: "left", Kind: 1}, {Name: "right", Hint: `says "why"`}, {Name: "bottom & end"}, {Name: "source"}},
		Arrows: []Arrow{{0, 1}, {0, 2}, {1, 3}, {2, 3}, {0, 3}},
		Kinds:  []Kind{{Name: "made", Light: "#fff", Dark: "#000"}, {Name: "to make", Light: "#eee", Dark: "#111", Dashed: true}},
	}
}

// random is a graph with n boxes and arrows between some of them.
func random(r *rand.Rand, n int) *Graph {
	g := &Graph{Kinds: []Kind{{Name: "k"}}}
	for i := range n {
		g.Boxes = append(g.Boxes, Box{Name: strings.Repeat("x", 1+r.IntN(30))})
		for range min(i, r.IntN(4)) {
			g.Arrows = append(g.Arrows, Arrow{r.IntN(i), i})
		}
	}
	return g
}

// Every arrow points down, no two spots of a row overlap, and nothing is outside of
// the picture.
func TestPlaces(t *testing.T) {
	graphs := []*Graph{diamond(), {}}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		graphs = append(graphs, random(r, 1+r.IntN(60)))
	}
	for i, g := range graphs {
		a := arrange(g)
		width := a.place()
		for _, row := range a.rows {
			for j, s := range row {
				if s.x-s.width/2 < margin-0.01 || s.x+s.width/2 > width-margin+0.01 {
					t.Errorf("graph %d: a spot at %.1f is outside of the width %.1f", i, s.x, width)
				}
				if j > 0 && row[j-1].x+row[j-1].width/2+gap > s.x-s.width/2+0.01 {
					t.Errorf("graph %d, row %d: spots %d and %d overlap", i, s.row, j-1, j)
				}
			}
		}
		for k, trail := range a.trails {
			if trail[0] != a.boxes[g.Arrows[k].From] || trail[len(trail)-1] != a.boxes[g.Arrows[k].To] {
				t.Errorf("graph %d: arrow %d does not lead from its beginning to its end", i, k)
			}
			for j := 1; j < len(trail); j++ {
				if trail[j].row != trail[j-1].row+1 {
					t.Errorf("graph %d: arrow %d goes from row %d to %d", i, k, trail[j-1].row, trail[j].row)
				}
			}
		}
	}
}

// Where an order without crossings exists and is near, it is found.
func TestFewCrossings(t *testing.T) {
	g := &Graph{Kinds: []Kind{{}}, Boxes: make([]Box, 8), Arrows: []Arrow{{0, 7}, {1, 6}, {2, 5}, {3, 4}}}
	if n := arrange(g).crossings(); n != 0 {
		t.Errorf("four arrows to boxes in the opposite order cross %d times", n)
	}
}

func TestSourcesAreNearWhatTheyLeadTo(t *testing.T) {
	g := &Graph{Kinds: []Kind{{}}, Boxes: make([]Box, 5), Arrows: []Arrow{{0, 1}, {1, 2}, {2, 4}, {3, 4}}}
	if got := levels(g); got[3] != 2 {
		t.Errorf("the box that only the last one follows is in row %d, not 2: %v", got[3], got)
	}
}

func TestSVG(t *testing.T) {
	var first, second bytes.Buffer
	if err := errors.Join(SVG(&first, diamond()), SVG(&second, diamond())); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Error("the same graph gives two pictures")
	}
	texts, counts := wellFormed(t, first.Bytes())
	for _, want := range []string{"top", "begins", "bottom & end", "to make", `says "why"`} {
		if !strings.Contains(texts, want) {
			t.Errorf("the picture does not have the text %q", want)
		}
	}
	if counts["rect"] != 1+5+2 || counts["path"] != 2*5 {
		t.Errorf("a ground, 5 boxes, 2 kinds and 5 arrows are %d rectangles and %d paths", counts["rect"], counts["path"])
	}
	if bytes.Contains(first.Bytes(), []byte("NaN")) {
		t.Error("a place is not a number")
	}
}

// wellFormed reads a document as XML, and returns its text and how often each element
// is there.
func wellFormed(t *testing.T, doc []byte) (string, map[string]int) {
	var texts strings.Builder
	counts := map[string]int{}
	for d := xml.NewDecoder(bytes.NewReader(doc)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return texts.String(), counts
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		switch x := token.(type) {
		case xml.StartElement:
			counts[x.Name.Local]++
		case xml.CharData:
			texts.Write(x)
		}
	}
}

func TestArrowsThatPointBack(t *testing.T) {
	for _, a := range []Arrow{{1, 0}, {1, 1}, {0, 9}, {-1, 0}} {
		g := diamond()
		g.Arrows = append(g.Arrows, a)
		if err := SVG(io.Discard, g); err == nil {
			t.Errorf("an arrow %v is drawn", a)
		}
	}
}
