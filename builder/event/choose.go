package event

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// Modes are the names that [Choose] knows.
var Modes = []string{"auto", "tty", "plain", "json"}

// Choose returns the Sink of that name, writing to f: "tty" is the live view,
// "plain" lines for a log, "json" lines for programs. "auto" (or "") takes the
// live view when f is a terminal that can move its cursor, else plain lines.
// It is an error to ask for the live view without a terminal.
//
// Colours are left out where [Colours] says so.
//
// Whichever it is, passwords in URLs are masked; see [Mask].
func Choose(mode string, f *os.File, opts Options) (Sink, error) {
	sink, err := choose(mode, f, opts)
	if err != nil {
		return nil, err
	}
	return masking{sink}, nil
}

// Colours reports whether f is a terminal that has colours. A set NO_COLOR switches
// them off; see https://no-color.org.
func Colours(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && coloured(os.Getenv("TERM"), os.Getenv("NO_COLOR"))
}

// coloured says the same of a terminal by its name.
func coloured(name, noColor string) bool {
	return noColor == "" && !dumb(name) && !strings.HasSuffix(name, "-m") && !strings.HasSuffix(name, "-mono")
}

// dumb reports that a terminal knows no escape sequences, as far as anybody knows.
func dumb(name string) bool { return name == "" || name == "dumb" || name == "unknown" }

func choose(mode string, f *os.File, opts Options) (Sink, error) {
	isTerm := term.IsTerminal(int(f.Fd()))
	opts.NoColor = opts.NoColor || !Colours(f)
	if mode == "" || mode == "auto" {
		mode = "plain"
		if isTerm && !dumb(os.Getenv("TERM")) {
			mode = "tty"
		}
	}
	switch mode {
	case "tty":
		if !isTerm {
			return nil, fmt.Errorf("progress %q needs a terminal, and %s is not a terminal", mode, f.Name())
		}
		return NewTerminal(f, func() (int, int) {
			w, h, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0, 0
			}
			return w, h
		}, opts), nil
	case "plain":
		return NewPlain(f, opts), nil
	case "json":
		return NewJSON(f), nil
	}
	return nil, fmt.Errorf("there is no mode of progress %q: the modes are %s", mode, strings.Join(Modes, ", "))
}
