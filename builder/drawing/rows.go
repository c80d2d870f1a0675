package drawing

import (
	"cmp"
	"slices"
)

// arrange puts the boxes into rows, and orders each row so that few arrows cross.
func arrange(g *Graph) *arrangement {
	a := &arrangement{boxes: make([]*spot, len(g.Boxes))}
	for i, row := range levels(g) {
		a.boxes[i] = a.add(row, &spot{box: i, width: boxWidth(&g.Boxes[i])})
	}
	for _, arrow := range g.Arrows {
		a.trails = append(a.trails, a.trail(a.boxes[arrow.From], a.boxes[arrow.To]))
	}
	a.untangle()
	return a
}

func (a *arrangement) add(row int, s *spot) *spot {
	for len(a.rows) <= row {
		a.rows = append(a.rows, nil)
	}
	s.row = row
	a.rows[row] = append(a.rows[row], s)
	return s
}

// trail connects two boxes by a point in each row between them.
func (a *arrangement) trail(from, to *spot) []*spot {
	all := []*spot{from}
	for last := from; last != to; last = all[len(all)-1] {
		next := to
		if last.row+1 < to.row {
			next = a.add(last.row+1, &spot{box: -1, width: pointWidth})
		}
		last.down = append(last.down, next)
		next.above = append(next.above, last)
		all = append(all, next)
	}
	return all
}

// levels are the rows of the boxes: each one as high as those that it follows allow.
// A box that follows nothing is just above the first one that follows it: an arrow
// across the whole picture says nothing.
func levels(g *Graph) []int {
	level := make([]int, len(g.Boxes))
	follows := make([]bool, len(g.Boxes))
	for i := range g.Boxes { // arrows point to later boxes
		for _, a := range g.Arrows {
			if a.To == i {
				follows[i] = true
				level[i] = max(level[i], level[a.From]+1)
			}
		}
	}
	for i := range g.Boxes {
		first := -1
		for _, a := range g.Arrows {
			if a.From == i && (first < 0 || level[a.To] < first) {
				first = level[a.To]
			}
		}
		if !follows[i] && first > 0 {
			level[i] = first - 1
		}
	}
	return level
}

// sweeps is how often the rows are gone through, down and up.
const sweeps = 12

// untangle orders the spots of each row by where their neighbours are, and keeps the
// best order that it sees.
func (a *arrangement) untangle() {
	best, fewest := a.order(), a.crossings()
	for sweep := range sweeps {
		if sweep%2 == 0 {
			for _, row := range a.rows {
				sortByNeighbours(row, func(s *spot) []*spot { return s.above })
			}
		} else {
			for _, row := range slices.Backward(a.rows) {
				sortByNeighbours(row, func(s *spot) []*spot { return s.down })
			}
		}
		if n := a.crossings(); n < fewest {
			best, fewest = a.order(), n
		}
	}
	a.rows = best
	a.number()
}

func (a *arrangement) order() [][]*spot {
	rows := make([][]*spot, len(a.rows))
	for i, row := range a.rows {
		rows[i] = slices.Clone(row)
	}
	return rows
}

// number writes into x the position of each spot in its row.
func (a *arrangement) number() {
	for _, row := range a.rows {
		for i, s := range row {
			s.x = float64(i)
		}
	}
}

// sortByNeighbours sorts a row by the average position of the neighbours. A spot
// without neighbours keeps its position.
func sortByNeighbours(row []*spot, neighbours func(*spot) []*spot) {
	wish := map[*spot]float64{}
	for i, s := range row {
		wish[s] = float64(i)
		if n := neighbours(s); len(n) > 0 {
			wish[s] = average(n)
		}
	}
	slices.SortStableFunc(row, func(x, y *spot) int { return cmp.Compare(wish[x], wish[y]) })
	for i, s := range row {
		s.x = float64(i)
	}
}

func average(spots []*spot) float64 {
	sum := 0.0
	for _, s := range spots {
		sum += s.x
	}
	return sum / float64(len(spots))
}

// crossings counts the pairs of lines between neighbouring rows that cross.
func (a *arrangement) crossings() int {
	a.number()
	n := 0
	for _, row := range a.rows {
		var ends []float64 // of the lines so far, which begin to the left
		for _, s := range row {
			for _, d := range s.down {
				for _, end := range ends {
					if end > d.x {
						n++
					}
				}
			}
			for _, d := range s.down {
				ends = append(ends, d.x)
			}
		}
	}
	return n
}
