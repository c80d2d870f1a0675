package event

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// redraw is the shortest time between two drawings of the live view.
const redraw = 100 * time.Millisecond

// What is sent to the terminal; all of it is in ECMA-48 or known to every
// descendant of the VT220.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	// A width that was guessed wrong must not wrap: the next drawing would
	// start at the wrong row.
	noWrap    = "\x1b[?7l"
	wrap      = "\x1b[?7h"
	eraseLine = "\x1b[K"
	eraseDown = "\x1b[J"
)

// NewTerminal returns a Sink that shows a live view at the bottom of a
// terminal, redrawn at most ten times a second: what is running, for how long,
// and its last line of output or how far it is, and how long the build still takes.
// What has ended, and notes and warnings, scroll up above it. size says how many columns and rows
// there are, and is asked at each drawing, so that no signal is needed; zeroes
// mean that it is not known.
//
// Drawing has a goroutine of its own: a terminal that is held back does not
// hold the build. Close ends it, takes the view away, gives the cursor back,
// and returns the first error that writing met. Events after Close are lost.
func NewTerminal(w io.Writer, size func() (columns, rows int), opts Options) Sink {
	t := &terminal{w: w, size: size, opts: opts, quit: make(chan struct{}), ended: make(chan struct{})}
	go t.loop()
	return t
}

type terminal struct {
	w    io.Writer
	size func() (int, int)
	opts Options

	mu      sync.Mutex
	track   tracker
	pending []said // to be printed above the view
	held    []said // the phases that are over, until it is known whether there is anything to do

	quit, ended chan struct{}
	once        sync.Once

	// Only the code that draws uses these: the loop, and Close after it.
	drawn []said // the view on the screen
	began bool
	err   error
}

func (t *terminal) loop() {
	defer close(t.ended)
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.draw(time.Now(), false)
		case <-t.quit:
			return
		}
	}
}

func (t *terminal) Close() error {
	t.once.Do(func() {
		close(t.quit)
		<-t.ended
		t.draw(time.Now(), true)
	})
	return t.err
}

func (t *terminal) Emit(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	news := t.track.news(e)
	k := t.track.see(e)
	if e.Kind == BuildStarted && !news {
		t.held = nil
	}
	if !news {
		return
	}
	switch e.Kind {
	case BuildStarted:
		t.release()
	case Waiting:
		// The view shows it for as long as it is so.
	case StepFailed:
		t.above(said{text: mark("failed") + k.name() + "  after " + FormatDuration(e.Duration), tone: red, cut: true})
		for _, l := range k.end() {
			t.above(said{text: mark("|") + l})
		}
	case StepFinished:
		if k != nil {
			text := mark(FormatDuration(e.Duration)) + k.name()
			if e.AsBefore {
				text += ": " + asBefore
			}
			t.above(said{text: text, cut: true})
		}
	case PhaseFinished:
		if k != nil {
			t.held = append(t.held, said{text: mark(FormatDuration(e.Duration)) + k.name(), cut: true})
		}
	case StepCached:
		if t.opts.Verbose || k.number > 0 {
			t.above(said{text: mark("cached") + k.name(), tone: dim, cut: true})
		}
	case StepOutput:
		if k != nil && t.opts.Verbose {
			for _, l := range cleanText(e.Line) {
				t.above(said{text: CleanLine(e.Step) + ": " + l, tone: dim})
			}
		}
	default:
		for _, s := range say(e) {
			t.above(s)
		}
	}
}

func (t *terminal) above(s said) {
	t.release()
	t.pending = append(t.pending, s)
}

// release shows what was held back.
func (t *terminal) release() {
	t.pending, t.held = append(t.pending, t.held...), nil
}

// mark sets a word or a duration right in the first column.
func mark(s string) string { return fmt.Sprintf("%8s  ", s) }

// draw brings the screen up to date, with one write. The last drawing leaves
// no view.
func (t *terminal) draw(now time.Time, last bool) {
	columns, rows := t.size()
	if columns <= 0 || rows <= 0 {
		columns, rows = 80, 24
	}
	t.mu.Lock()
	above := t.pending
	t.pending = nil
	var view []said
	if !last {
		view = t.view(now, columns-1, rows-1)
	}
	t.mu.Unlock()

	// The last column stays free: after a character there, terminals differ on
	// where the cursor is and what "erase to the end of the line" erases.
	for i := range view {
		view[i].text = cut(view[i].text, columns-1)
	}
	var b strings.Builder
	if !t.began && (len(above) > 0 || len(view) > 0) {
		b.WriteString(hideCursor)
		t.began = true
	}
	if up := min(rowsOf(t.drawn, columns), rows-1); up > 0 && (len(above) > 0 || !sameLines(view, t.drawn)) {
		fmt.Fprintf(&b, "\r\x1b[%dA", up)
	}
	if len(above) > 0 {
		b.WriteString(eraseDown)
	}
	for _, s := range above {
		if s.cut {
			s.text = cut(s.text, columns-1)
		}
		b.WriteString(t.paint(s) + "\n")
	}
	if len(above) > 0 || !sameLines(view, t.drawn) {
		if len(view) > 0 {
			b.WriteString(noWrap)
			for _, s := range view {
				b.WriteString(t.paint(s) + eraseLine + "\n")
			}
			b.WriteString(wrap)
		}
		b.WriteString(eraseDown)
	}
	if last && t.began {
		b.WriteString(showCursor)
	}
	t.drawn = view
	if b.Len() > 0 && t.err == nil {
		_, t.err = io.WriteString(t.w, b.String())
	}
}

// view returns the lines of the live view for a screen of so many columns, at most rows
// of them, uncut.
func (t *terminal) view(now time.Time, columns, rows int) []said {
	var out []said
	k := &t.track
	if len(k.flavours) > 0 && k.total > 0 {
		out = append(out, said{text: k.summary(now) + "  " + CleanLine(strings.Join(k.flavours, ", ")), tone: bold})
	}
	if k.waiting != "" {
		out = append(out, said{text: "waiting for " + CleanLine(k.waiting)})
	}
	for _, r := range k.running {
		out = append(out, said{text: r.line(now, columns)})
	}
	if rows = max(rows, 0); len(out) > rows {
		hidden := len(out) - rows + 1
		out = out[:rows]
		if rows > 1 {
			out[rows-1] = said{text: mark("...") + fmt.Sprintf("and %d more", hidden)}
		}
	}
	return out
}

// rowsOf returns how many rows lines take that were drawn when the terminal
// may have been wider: a terminal that got narrower has wrapped them.
func rowsOf(lines []said, columns int) int {
	n := 0
	for _, l := range lines {
		n += max(1, (textWidth(l.text)+columns-1)/columns)
	}
	return n
}

func sameLines(a, b []said) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (t *terminal) paint(s said) string {
	code := map[tone]string{dim: "2", bold: "1", yellow: "33", red: "31"}[s.tone]
	if code == "" || t.opts.NoColor {
		return s.text
	}
	return "\x1b[" + code + "m" + s.text + "\x1b[0m"
}
