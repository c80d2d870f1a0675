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
// It is an error to ask for the live view where there is no terminal.
//
// A set NO_COLOR switches colours off, see https://no-color.org.
//
// Whichever it is, passwords in URLs are masked; see [Mask].
func Choose(mode string, f *os.File, opts Options) (Sink, error) {
	sink, err := choose(mode, f, opts)
	if err != nil {
		return nil, err
	}
	return masking{sink}, nil
}

func choose(mode string, f *os.File, opts Options) (Sink, error) {
	isTerm := term.IsTerminal(int(f.Fd()))
	if os.Getenv("NO_COLOR") != "" {
		opts.NoColor = true
	}
	if mode == "" || mode == "auto" {
		mode = "plain"
		if t := os.Getenv("TERM"); isTerm && t != "dumb" && t != "" {
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
