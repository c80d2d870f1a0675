package drawing

import "slices"

// passes is how often the spots are moved towards each other.
const passes = 40

// pull is how much the wish of a point counts; that of a box counts 1. towardsEnds is
// how far the points of an arrow give way to its ends in one pass.
const pull, towardsEnds = 4.0, 0.1

func weight(s *spot) float64 {
	if s.box < 0 {
		return pull
	}
	return 1
}

// wishes are where the spots would be, if there were no others: a box in the middle of its neighbours,
// and all points of an arrow below each other.
func (a *arrangement) wishes() map[*spot]float64 {
	wish := map[*spot]float64{}
	for _, s := range a.boxes {
		wish[s] = s.x
		if all := slices.Concat(s.above, s.down); len(all) > 0 {
			wish[s] = average(all)
		}
	}
	for _, trail := range a.trails {
		if len(trail) == 2 {
			continue
		}
		points, ends := trail[1:len(trail)-1], []*spot{trail[0], trail[len(trail)-1]}
		x := average(points)
		x += (average(ends) - x) * towardsEnds
		for _, s := range points {
			wish[s] = x
		}
	}
	return wish
}

// place gives each spot an x in the order of its row, without overlap, as near to its
// wish as that allows. It returns the width of the picture.
func (a *arrangement) place() float64 {
	for _, row := range a.rows {
		spread(row, func(*spot) float64 { return 0 })
	}
	for range passes {
		wish := a.wishes()
		for _, row := range a.rows {
			spread(row, func(s *spot) float64 { return wish[s] })
		}
	}
	left, right := 0.0, 0.0
	for _, row := range a.rows {
		for _, s := range row {
			left, right = min(left, s.x-s.width/2), max(right, s.x+s.width/2)
		}
	}
	for _, row := range a.rows {
		for _, s := range row {
			s.x += margin - left
		}
	}
	return right - left + 2*margin
}

// block is a run of neighbouring spots that touch each other. offsets are the middles
// of its spots from that of the first one.
type block struct {
	spots   []*spot
	offsets []float64
	sum     float64 // of where each spot would have the first one, by weight
	weight  float64
}

// x is the middle of the first spot.
func (b *block) x() float64 { return b.sum / b.weight }

// spread puts the spots of a row as near to their wishes as their order and sizes
// allow, by least squares (the pool-adjacent-violators algorithm).
func spread(row []*spot, wish func(*spot) float64) {
	var blocks []*block
	for _, s := range row {
		b := &block{spots: []*spot{s}, offsets: []float64{0}, sum: wish(s) * weight(s), weight: weight(s)}
		for len(blocks) > 0 && blocks[len(blocks)-1].end() > b.x()-b.spots[0].width/2-gap {
			b = blocks[len(blocks)-1].join(b)
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		for i, s := range b.spots {
			s.x = b.x() + b.offsets[i]
		}
	}
}

// end is where the last spot ends.
func (b *block) end() float64 {
	last := len(b.spots) - 1
	return b.x() + b.offsets[last] + b.spots[last].width/2
}

func (b *block) join(next *block) *block {
	last := len(b.spots) - 1
	distance := b.offsets[last] + b.spots[last].width/2 + gap + next.spots[0].width/2
	joined := &block{spots: append(b.spots, next.spots...), offsets: b.offsets, sum: b.sum, weight: b.weight + next.weight}
	for i := range next.spots {
		joined.offsets = append(joined.offsets, distance+next.offsets[i])
	}
	joined.sum += next.sum - distance*next.weight
	return joined
}
