package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/trial"
	"github.com/treewright/treewright/builder/vm"
)

var testVerb = &verb{
	name: "test", args: "FLAVOUR" + added(rules.Testing).Or, summary: "boot a flavour's image in a virtual machine and test it there",
	details: `Brings the flavour up to date, boots its image in QEMU and runs, inside, the
tests that its features bring: the executables in their folders test/, as root,
with the features' parameters in the environment. Extensions are downloaded,
merged and tested likewise. The image is not changed for it, and the machine
sees no network but the server for what was built.

With --upgrade, the machine is then upgraded to a commit that follows the
image's, with the power cut in the middle, and rolled back. That commit is kept
apart from the flavour's own history.` + added(rules.Testing).Help,
	complete: "flavours", flags: trying.flags, run: trying.run,
}

// trying has the options of test.
var trying testOptions

type testOptions struct {
	machineOptions
	upgrade     bool
	junit, logs string
}

func (o *testOptions) flags(f *pflag.FlagSet, common *options) {
	f.BoolVar(&o.upgrade, "upgrade", false, "upgrade the machine, cut its power, and roll back, too")
	f.StringVar(&o.junit, "junit", "", "write the results to this file, as JUnit XML")
	f.StringVar(&o.logs, "logs", "", "the folder for the console's log and the journals of failed units (default: .build/.private/FLAVOUR/test)")
	o.machineOptions.flags(f, common)
}

func (o *testOptions) run(ctx context.Context, c *command) (err error) {
	if len(c.args) != 1 {
		return usagef("test wants one flavour")
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	name := s.Flavour()
	if o.upgrade && s.NoUpgrade != "" {
		return usagef("%s", s.NoUpgrade)
	}
	if err := o.check(); err != nil {
		return err
	}
	b, err := o.build(ctx, c, s)
	if err != nil {
		return err
	}
	logs := b.Dir
	if o.logs != "" {
		if logs, err = filepath.Abs(o.logs); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return err
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(b.Dir, ".lock"), func() {
		fmt.Fprintf(c.Err, "treewright: another test of %s is running; this one goes on when it ends\n", name)
	})
	if err != nil {
		return err
	}
	defer unlock()
	report := &vm.Report{Suite: name, Out: c.Out}
	scenario, err := b.Scenario(ctx, trial.Asked{Report: report, Logs: logs, MemoryMiB: o.memory, CPUs: o.cpus, Say: c.say})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "\ntesting %s; the console goes to %s\n", name, build.Shown(filepath.Join(logs, vm.SerialLog)))
	start := time.Now()
	if s.Tested {
		err = scenario.Run(ctx)
	} else {
		err = scenario.RunLogin(ctx)
	}
	// What was found out is told, also when Ctrl-C ended it.
	err = errors.Join(err, o.finish(c, report, time.Since(start)))
	return errors.Join(err, b.Close())
}

// build builds all that the test needs.
func (o *testOptions) build(ctx context.Context, c *command, s *build.Subject) (b *trial.Bench, err error) {
	sink, err := c.sink()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	start := time.Now()
	if b, err = trial.Build(ctx, c.builder, s, o.upgrade, sink); err != nil {
		return nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: s.Flavour(), Duration: time.Since(start)})
	return b, nil
}

// finish says how it went, and writes the JUnit file.
func (o *testOptions) finish(c *command, r *vm.Report, took time.Duration) error {
	if o.junit != "" {
		if err := writeJUnit(r, o.junit); err != nil {
			return err
		}
	}
	failed := r.Count(vm.Failed)
	fmt.Fprintf(c.Out, "\n%s: %d passed, %d failed, %d skipped, in %s\n", r.Suite, r.Count(vm.Passed), failed, r.Count(vm.Skipped), event.FormatDuration(took))
	if failed > 0 {
		return fmt.Errorf("%d of the tests of %s failed", failed, r.Suite)
	}
	return nil
}

func writeJUnit(r *vm.Report, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := r.WriteJUnit(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
