package report

import (
	"cmp"
	"slices"
)

// Rect is a rectangle. All numbers are percent of what it is in.
type Rect struct{ X, Y, W, H float64 }

// squarify divides a rectangle that is aspect times as wide as high among sizes, which
// are positive and sorted from the largest on, into rectangles that are nearly square. The
// method is that of Bruls, Huizing and van Wijk, "Squarified treemaps" (2000).
func squarify(sizes []float64, aspect float64) []Rect {
	var out []Rect
	free := Rect{0, 0, aspect, 1} // in units of the height
	for len(sizes) > 0 {
		total := sum(sizes)
		n := rowLength(sizes, free, total)
		var row []Rect
		row, free = layRow(sizes[:n], free, total)
		out = append(out, row...)
		sizes = sizes[n:]
	}
	for i, r := range out {
		out[i] = Rect{r.X / aspect * 100, r.Y * 100, r.W / aspect * 100, r.H * 100}
	}
	return out
}

func sum(sizes []float64) float64 {
	total := 0.0
	for _, s := range sizes {
		total += s
	}
	return total
}

// rowLength is how many sizes make the row along the shorter side in which the worst
// rectangle is the nearest to a square.
func rowLength(sizes []float64, free Rect, total float64) int {
	best := worst(sizes[:1], free, total)
	for n := 2; n <= len(sizes); n++ {
		w := worst(sizes[:n], free, total)
		if w > best {
			return n - 1
		}
		best = w
	}
	return len(sizes)
}

// worst is the largest proportion of the sides of a rectangle in a row.
func worst(row []float64, free Rect, total float64) float64 {
	side, area := min(free.W, free.H), free.W*free.H
	depth := sum(row) / total * area / side
	w := 1.0
	for _, s := range row {
		length := s / total * area / depth
		w = max(w, max(length/depth, depth/length))
	}
	return w
}

// layRow lays sizes along the shorter side, and returns what remains.
func layRow(row []float64, free Rect, total float64) ([]Rect, Rect) {
	all := sum(row)
	share := all / total
	var out []Rect
	if free.W >= free.H {
		y, w := free.Y, free.W*share
		for _, s := range row {
			h := free.H * s / all
			out = append(out, Rect{free.X, y, w, h})
			y += h
		}
		return out, Rect{free.X + w, free.Y, free.W - w, free.H}
	}
	x, h := free.X, free.H*share
	for _, s := range row {
		w := free.W * s / all
		out = append(out, Rect{x, free.Y, w, h})
		x += w
	}
	return out, Rect{free.X, free.Y + h, free.W, free.H - h}
}

// Tile is a rectangle of the treemap, and those in it.
type Tile struct {
	Rect
	Name  string
	Bytes int64
	// Of is the name of the group.
	Of string
	// Group is the number of the group, from 0.
	Group int
	Tiles []Tile
	// Room reports whether a text fits in on a wide screen.
	Room bool
}

// colours is how many groups have a colour of their own. The smaller ones share one.
const colours = 8

// Colour is the number of the group's colour.
func (t Tile) Colour() int { return min(t.Group, colours) }

// mapAspect is the proportion of the map's sides on a wide screen.
const mapAspect = 2.2

// room is what a text needs of the map's width and height, in percent of percent.
const room = 4.5 * 100

// groupRoom is what the name of a group needs of the map's width and height, in percent.
const groupRoom = 8

// smallest is the share of a group that an item has at least to be shown alone.
const smallest = 0.004

// treemap divides the tree among groups, and each of them among its items. What is
// too small to be seen is one tile.
func treemap(groups []Group) []Tile {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return g.Bytes() == 0 })
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(b.Bytes(), a.Bytes()) })
	var sizes []float64
	for i := range groups {
		sizes = append(sizes, float64(groups[i].Bytes()))
	}
	var out []Tile
	for i, r := range squarify(sizes, mapAspect) {
		g := &groups[i]
		tile := Tile{Rect: r, Name: g.Name, Bytes: g.Bytes(), Group: i, Room: r.W > groupRoom && r.H > groupRoom}
		items := shown(g)
		var parts []float64
		for _, item := range items {
			parts = append(parts, float64(item.Bytes))
		}
		for k, inner := range squarify(parts, r.W*mapAspect/r.H) {
			tile.Tiles = append(tile.Tiles, Tile{Rect: inner, Name: items[k].Name, Bytes: items[k].Bytes, Of: g.Name, Group: i, Room: r.W*inner.W > room && r.H*inner.H > room})
		}
		out = append(out, tile)
	}
	return out
}

// shown are a group's items, from the largest on, the small ones together.
func shown(g *Group) []Item {
	items := slices.DeleteFunc(slices.Clone(g.Items), func(i Item) bool { return i.Bytes == 0 })
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	limit := smallest * float64(g.Bytes())
	large := slices.IndexFunc(items, func(i Item) bool { return float64(i.Bytes) < limit })
	if large < 0 {
		return items
	}
	rest := Group{Items: items[large:]}
	return append(items[:large:large], Item{Name: plural(len(rest.Items), "smaller one", "smaller ones"), Bytes: rest.Bytes()})
}
