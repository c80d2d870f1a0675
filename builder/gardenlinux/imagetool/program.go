package imagetool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// Program is one of the programs as image scripts call it.
type Program struct {
	Name, Summary string
	// Usage is what comes after the name.
	Usage string
	run   func(ctx context.Context, p process, args []string) error
}

// Streams are a program's input and outputs.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// process is a running program's surroundings.
type process struct {
	Streams
	getenv func(string) string
}

// tools are what the program's environment says, their output going to log.
func (p process) tools(log io.Writer) Tools {
	t := Tools{Path: p.getenv("PATH"), Temp: p.getenv("TMPDIR"), Log: log}
	if !filepath.IsAbs(t.Temp) {
		t.Temp = "" // the programs are run in another directory
	}
	return t
}

// Run runs the program. Its options are those of the program whose place it takes,
// before all other arguments, and --help.
func (p Program) Run(ctx context.Context, args []string, getenv func(string) string, s Streams) error {
	if len(args) == 1 && args[0] == "--help" {
		_, err := fmt.Fprintf(s.Out, "%s\n\n%s.\n", p.usage(), strings.ToUpper(p.Summary[:1])+p.Summary[1:])
		return err
	}
	err := p.run(ctx, process{s, getenv}, args)
	var bad *argsError
	if errors.As(err, &bad) {
		return fmt.Errorf("%w; usage: %s", err, p.usage())
	}
	return err
}

func (p Program) usage() string { return strings.TrimSpace(p.Name + " " + p.Usage) }

// argsError is a command line that makes no sense.
type argsError struct{ message string }

func (e *argsError) Error() string { return e.message }

func badArgs(format string, args ...any) error { return &argsError{fmt.Sprintf(format, args...)} }

// optionParser reads options that come before all other arguments, their
// values as words of their own.
type optionParser struct {
	values   map[string]func(string) error
	switches map[string]*bool
}

// parse returns the other arguments, of which there are to be count.
func (o optionParser) parse(args []string, count int) ([]string, error) {
	for len(args) > 0 {
		if on := o.switches[args[0]]; on != nil {
			*on = true
			args = args[1:]
			continue
		}
		set := o.values[args[0]]
		if set == nil {
			break
		}
		if len(args) < 2 {
			return nil, badArgs("%s needs a value", args[0])
		}
		if err := set(args[1]); err != nil {
			return nil, fmt.Errorf("%s: %w", args[0], err)
		}
		args = args[2:]
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		return nil, badArgs("unknown option %s", args[0])
	}
	if len(args) != count {
		return nil, badArgs("arguments after the options: %d instead of %d", len(args), count)
	}
	return args, nil
}

// textOption is an option for a string.
func textOption(to *string) func(string) error {
	return func(s string) error { *to = s; return nil }
}

// prefixOption is the option for a hash's prefix: each one comes before the last.
func prefixOption(to *string) func(string) error {
	return func(s string) error { *to = s + ":" + *to; return nil }
}

// numberOption is an option for a number that is not negative.
func numberOption(to *int64) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return badArgs("%q is not a whole number from 0", s)
		}
		*to = n
		return nil
	}
}

// timeOption is an option for seconds since 1970.
func timeOption(to *int64) func(string) error {
	return func(s string) (err error) { *to, err = timestamp(s); return err }
}

// timestamp reads seconds since 1970. ext4's times end in the year 2446.
func timestamp(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n >= 1<<34-1<<31 {
		return 0, fmt.Errorf("%q is not a time in seconds since 1970", s)
	}
	return n, nil
}

// absolute makes paths absolute, for the same reason.
func absolute(paths ...*string) error {
	for _, p := range paths {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	return nil
}
