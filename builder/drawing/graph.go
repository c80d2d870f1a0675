package drawing

// Graph is what is drawn. Arrows point from earlier boxes to later ones.
type Graph struct {
	Title  string // for those who cannot see the picture
	Boxes  []Box
	Arrows []Arrow
	// Kinds are the kinds of boxes, as the legend lists them.
	Kinds []Kind
}

// Box is a box with one or two lines of text.
type Box struct {
	Name string
	Note string // the second line, smaller; can be empty
	Kind int    // index into Kinds
	// Hint is shown when the pointer rests on the box; can be empty.
	Hint string
}

// Arrow points from a box to a later one, by their indices.
type Arrow struct{ From, To int }

// Kind is a kind of box: what the legend says of it, and its colours as in CSS on light and
// dark ground. The text is dark on light ground, and light on dark ground.
type Kind struct {
	Name        string
	Light, Dark string
	Dashed      bool
}

// Sizes in pixels.
const (
	charWidth  = 7.3 // of the monospace font, at most
	padding    = 12.0
	boxHeight  = 40.0
	rowHeight  = 68.0
	gap        = 12.0
	pointWidth = 6.0
	margin     = 12.0
)

func boxWidth(b *Box) float64 {
	return max(float64(max(len([]rune(b.Name)), len([]rune(b.Note))))*charWidth+2*padding, 60)
}

// spot is a place in a row: a box, or a point that a long arrow passes on its way.
type spot struct {
	box         int // -1 for a point
	width       float64
	row         int
	x           float64 // of its middle
	above, down []*spot
}

// arrangement is a graph in rows. trails are the spots of each arrow, from its
// beginning to its end.
type arrangement struct {
	rows   [][]*spot
	boxes  []*spot
	trails [][]*spot
}
