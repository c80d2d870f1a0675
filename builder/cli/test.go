package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/trial"
	"github.com/treewright/treewright/builder/vm"
)

var testVerb = &verb{
	name: "test", args: "FLAVOUR" + additionOf(rules.Testing).Or + " [FEATURE[/TEST]...]", summary: "boot a flavour's image in a virtual machine and test it there",
	example: "./build test debian-trixie-amd64-ostree --upgrade\n./build test debian-trixie-amd64-ostree podman base/access --keep",
	details: `Builds the flavour, boots its image in QEMU and runs the tests of its features in
it: the executables in their directories test/, as root, with the features'
parameters in the environment. Extensions are downloaded, merged and tested as
well. With names of features or tests after the flavour, only those are run;
--list prints them. The image is not changed. The machine has no network except to
the server with the artifacts, to which its own remote_url leads as well.

With --upgrade, the machine is then upgraded to a commit after the one of the
image, with a power cut in the middle, and rolled back. That commit does not
become part of the flavour's history. With --packages, it adds packages to itself,
from a server that this process is, and is upgraded and rolled back with them.`,
	uses:     []rules.Use{rules.Testing},
	complete: "flavours, tests...", flags: trying.flags, run: trying.run,
}

// trying has the options of test.
var trying testOptions

type testOptions struct {
	machineOptions
	trial.More
	list, keep  bool
	junit, logs string
}

func (o *testOptions) flags(f *pflag.FlagSet, common *options) {
	f.BoolVar(&o.Upgrade, "upgrade", false, "also upgrade the machine, cut its power, and roll back")
	f.BoolVar(&o.Packages, "packages", false, "also have the machine add packages to itself, through an upgrade, a power cut and a rollback")
	f.BoolVar(&o.list, "list", false, "print the features' tests, and test nothing")
	f.BoolVar(&o.keep, "keep", false, "stop at the first test that fails, with a shell in the machine")
	f.StringVar(&o.junit, "junit", "", "write the results to this `FILE`, as JUnit XML")
	f.StringVar(&o.logs, "logs", "", "the `DIRECTORY` for the console's log and the journals of failed units (default: .build/.private/FLAVOUR/test)")
	o.machineOptions.flags(f, common)
}

func (o *testOptions) run(ctx context.Context, c *command) (err error) {
	if len(c.args) == 0 {
		return lists(usagef("test takes a flavour, and the tests to run if not all are"))
	}
	if o.Upgrade && o.Packages {
		return usagef("--upgrade and --packages are two tests: run one after the other")
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	if err := bootable(s); err != nil {
		return err
	}
	names, err := trial.Names(c.builder, s, c.args[1:])
	if err != nil {
		return err
	}
	if o.list {
		for _, name := range names {
			fmt.Fprintln(c.Out, name)
		}
		return nil
	}
	report := &vm.Report{Suite: s.Flavour(), Out: c.Out}
	if err := o.begin(report); err != nil {
		return err
	}
	b, err := o.build(ctx, c, s)
	if err != nil {
		return errors.Join(err, o.notTested(report, err))
	}
	keep, done, err := o.kept(c)
	if err != nil {
		return errors.Join(err, o.notTested(report, err))
	}
	defer done()
	var start time.Time
	err = b.Test(ctx, trial.Asked{Report: report, Tests: c.args[1:], Keep: keep, Logs: o.logs, MemoryMiB: o.memory, CPUs: o.cpus, Say: c.say, Started: func(log string) {
		start = time.Now()
		fmt.Fprintf(c.Err, "\ntesting %s; the console goes to %s\n", report.Suite, build.Shown(log))
	}})
	if start.IsZero() {
		return errors.Join(err, o.notTested(report, err))
	}
	// What was found out is told, also when Ctrl-C ended it.
	return errors.Join(err, o.finish(c, report, time.Since(start), err))
}

// build builds all that the test needs.
func (o *testOptions) build(ctx context.Context, c *command, s *build.Subject) (b *trial.Bench, err error) {
	sink, err := c.sink()
	if err != nil {
		return nil, err
	}
	b, err = trial.Build(ctx, c.builder, s, o.More, sink)
	return b, errors.Join(err, sink.Close())
}

// finish prints the result, and writes the JUnit file, which names what stopped the test as
// well.
func (o *testOptions) finish(c *command, r *vm.Report, took time.Duration, stopped error) error {
	failed := r.Count(vm.Failed)
	fmt.Fprintf(c.Out, "\n%s: %d passed, %d failed, %d skipped, in %s\n", r.Suite, r.Count(vm.Passed), failed, r.Count(vm.Skipped), event.FormatDuration(took))
	if stopped != nil {
		r.Results = append(r.Results, vm.Result{Group: "machine", Name: "stopped", Outcome: vm.Failed, Text: stopped.Error()})
	}
	if err := o.save(r); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of the tests of %s failed", failed, r.Suite)
	}
	return nil
}
