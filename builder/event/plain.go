package event

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// plainProgress is how often a download is mentioned in a log.
const plainProgress = 5 * time.Second

// patience is how long what comes before the steps may take without being mentioned.
const patience = 5 * time.Second

// NewPlain returns a Sink that writes lines fit for a log: each step has a
// number, which starts each of its lines, as several steps may run at once.
// A step's own output is left out unless [Options.Verbose] is set or the step
// fails; then its last 40 lines are written, but not its error, which ends the
// build and is for the caller. A build that has nothing to do writes nothing, unless
// that takes time to find out. Close returns the first error
// that writing met; it does not close w.
func NewPlain(w io.Writer, opts Options) Sink {
	return &plain{w: w, opts: opts}
}

type plain struct {
	mu    sync.Mutex
	w     io.Writer
	opts  Options
	track tracker
	err   error

	// held are the lines of phases that were not written yet: of a build that
	// has nothing to do they are not.
	held  string
	timer *time.Timer
}

func (p *plain) Emit(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	sameWait := e.Kind == Waiting && p.track.waiting == e.Line
	news := p.track.news(e)
	t := p.track.see(e)
	if e.Kind == BuildStarted && !news {
		p.held = ""
	}
	if !news {
		return
	}
	var b strings.Builder
	line := func(format string, args ...any) {
		if t != nil && t.number > 0 {
			fmt.Fprintf(&b, "#%d ", t.number)
		}
		fmt.Fprintf(&b, format+"\n", args...)
	}
	switch e.Kind {
	case BuildStarted, BuildFinished, BuildFailed, Note, Warning, StepWarning, StepPulled, Made:
		for _, l := range say(e) {
			line("%s", l.text)
		}
	case Waiting:
		if !sameWait {
			line("%s", say(e)[0].text)
		}
	}
	if t != nil {
		p.task(e, t, line)
	}
	if e.Kind == PhaseStarted || e.Kind == PhaseFinished && p.held != "" {
		p.hold(b.String())
	} else if b.Len() > 0 {
		p.write(b.String())
	}
}

// hold keeps lines until something else is written, or for a while.
func (p *plain) hold(lines string) {
	p.held += lines
	if p.timer == nil {
		p.timer = time.AfterFunc(patience, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.timer = nil
			p.write("")
		})
	}
}

// write writes lines after those that are held.
func (p *plain) write(lines string) {
	lines, p.held = p.held+lines, ""
	if lines != "" && p.err == nil {
		_, p.err = io.WriteString(p.w, lines)
	}
}

func (p *plain) task(e Event, t *task, line func(string, ...any)) {
	switch e.Kind {
	case StepStarted, PhaseStarted:
		line("%s", t.name())
	case StepCached:
		if t.number > 0 || p.opts.Verbose {
			line("%s cached", CleanLine(e.Step))
		}
	case StepFinished, PhaseFinished:
		line("%s", done(e))
	case StepOutput:
		if !p.opts.Verbose {
			return
		}
		for _, l := range cleanText(e.Line) {
			line("%s %s", FormatDuration(e.Time.Sub(t.started)), l)
		}
	case StepProgress:
		if e.Time.Sub(t.shown) >= plainProgress {
			t.shown = e.Time
			line("%s", t.amount(e.Time))
		}
	case StepFailed:
		line("%s failed after %s", CleanLine(e.Step), FormatDuration(e.Duration))
		// Verbose has written them already.
		if end := t.end(); len(end) > 0 && !p.opts.Verbose {
			line("the end of its output:")
			for _, l := range end {
				line("| %s", l)
			}
		}
	}
}

// asBefore describes a step that did not run; see [Event.AsBefore].
const asBefore = "as before, because nothing that it looks at has changed"

// done is the text for a step or phase that succeeded.
func done(e Event) string {
	if e.AsBefore {
		return asBefore
	}
	return "done in " + FormatDuration(e.Duration)
}

func (p *plain) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	p.held = ""
	return p.err
}

// tone is what a colour means.
type tone int

const (
	normal tone = iota
	dim
	bold
	yellow
	red
)

// said is one line for people.
type said struct {
	text string
	tone tone
	cut  bool // it may be cut to the screen's width
}

// say puts the events into words that look the same in a log and above a live
// view. Why a build failed is not among them: the caller gets an error,
// and shows it once.
func say(e Event) []said {
	flavour := CleanLine(e.Flavour)
	var out []said
	switch e.Kind {
	case BuildStarted:
		text := fmt.Sprintf("building %s: %d steps to run, %d cached", flavour, e.Total, e.Cached)
		if e.Total == 1 {
			text = fmt.Sprintf("building %s: 1 step to run, %d cached", flavour, e.Cached)
		}
		if e.Expected >= patience {
			text += ", " + About(e.Expected)
		}
		out = append(out, said{text: text, tone: bold})
	case BuildFinished:
		out = append(out, said{text: fmt.Sprintf("%s: built in %s", flavour, FormatDuration(e.Duration)), tone: bold})
	case BuildFailed:
		out = append(out, said{text: fmt.Sprintf("%s: failed after %s", flavour, FormatDuration(e.Duration)), tone: red})
	case Waiting:
		out = append(out, said{text: "waiting for " + CleanLine(e.Line)})
	case Note:
		for _, l := range cleanText(e.Line) {
			out = append(out, said{text: "note: " + l})
		}
	case Warning:
		for _, l := range cleanText(e.Line) {
			out = append(out, said{text: "warning: " + l, tone: yellow})
		}
	case StepWarning:
		for _, l := range cleanText(e.Line) {
			out = append(out, said{text: "warning: " + CleanLine(e.Step) + ": " + l, tone: yellow})
		}
	case StepPulled:
		out = append(out, said{text: fmt.Sprintf("pulled %s  %s in %s", CleanLine(e.Step), FormatBytes(e.Total), FormatDuration(e.Duration))})
	case Made:
		text := fmt.Sprintf("made %s  %s", CleanLine(e.Line), FormatBytes(e.Total))
		if e.Title != "" {
			text += "  " + CleanLine(e.Title)
		}
		out = append(out, said{text: text})
	}
	return out
}
