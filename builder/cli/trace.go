package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// traceFlag is the option of verbs that build.
func traceFlag(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.trace, "trace", "", "write to this `FILE` how long everything takes, for ui.perfetto.dev")
}

// traced carries the verb out, and writes the trace that was asked for, whatever came of it.
func (c *command) traced(ctx context.Context) error {
	if c.options.trace == "" {
		return c.verb.run(ctx, c)
	}
	file, err := filepath.Abs(c.options.trace)
	if err != nil {
		return err
	}
	if err := writable(file); err != nil {
		return usagef("the trace cannot be written to %s: %v", c.options.trace, err)
	}
	c.trace = event.NewTrace()
	err = c.verb.run(event.Within(ctx, c.trace.Sink()), c)
	return errors.Join(err, c.saveTrace(file))
}

// writable returns why a file cannot be written, before the work whose result it gets.
func writable(file string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	probe, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".new-")
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	} else if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (c *command) saveTrace(file string) error {
	var text bytes.Buffer
	err := c.trace.Write(&text, map[string]any{"treewright": number, "processors": runtime.NumCPU(), "used": sandbox.Used()})
	if err == nil {
		err = layer.WriteFile(file, text.Bytes(), 0o644)
	}
	if err != nil {
		return err
	}
	c.say("the trace is in " + build.Shown(file) + ", which https://ui.perfetto.dev shows")
	return nil
}

// withTrace returns a sink of which the trace gets the events too.
func (c *command) withTrace(s event.Sink) event.Sink {
	if c.trace == nil {
		return s
	}
	return event.Both(s, c.trace.Sink())
}
