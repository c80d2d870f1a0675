package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/trial"
	"github.com/treewright/treewright/builder/vm"
)

var runVerb = &verb{
	name: "run", args: "FLAVOUR" + additionOf(rules.Running).Or + " [-- COMMAND...]", summary: "boot a flavour's image in a virtual machine",
	example: "./build run debian-trixie-amd64-ostree\n./build run debian-trixie-amd64-ostree --ssh -- systemctl status",
	details: `Boots the image that was built last (it is built if there is none yet) in QEMU,
with the serial console on this terminal. Root is logged in there: the machine's
firmware passes that, for this run only; the image has no password. exit switches
the machine off, and Ctrl-A X does so at once, like a power cut.
With --ssh it opens a shell in the machine by ssh instead, or runs COMMAND there,
with a key made for this run, and passes on its exit code.

While a machine of the flavour runs, in another terminal, --ssh builds the flavour
and has that machine take the new commit: it pulls new objects, restarts into it (a
soft reboot if kernel and initramfs are the same), and the shell or COMMAND is in
there. --new starts another machine in place of that. A machine that was started
for a COMMAND is left alone. With --persist it is the one with the kept disk.

The machine's disk is thrown away at the end, unless --persist keeps it for the
next run. While the machine runs, the artifacts are served to it at
http://10.0.2.2:8080, so that it can be upgraded.`,
	uses:     []rules.Use{rules.Running},
	complete: "flavours", flags: machines.flags, run: machines.run,
}

// machines has the options of run.
var machines runOptions

type runOptions struct {
	machineOptions
	ssh, persist, another bool
	forwards              []string
	given                 *pflag.FlagSet
}

func (o *runOptions) flags(f *pflag.FlagSet, common *options) {
	f.BoolVar(&o.ssh, "ssh", false, "open a shell by ssh instead of the console")
	f.BoolVar(&o.persist, "persist", false, "keep the machine's disk, and start from the kept disk")
	f.BoolVar(&o.another, "new", false, "start another machine, even if one of the flavour runs")
	f.StringArrayVarP(&o.forwards, "forward", "p", nil, "forward a port of this machine to a port of the guest: `[ADDRESS:]PORT:GUESTPORT`; may be repeated")
	o.machineOptions.flags(f, common)
	o.given = f
}

func (o *runOptions) run(ctx context.Context, c *command) error {
	switch {
	case len(c.args) == 0:
		return lists(usagef("run takes a flavour"))
	case len(c.args) > 1 && !o.ssh:
		return usagef("run takes one flavour; to run a command in the machine, give --ssh")
	}
	forwards := make([]vm.Forward, len(o.forwards))
	for i, text := range o.forwards {
		var err error
		if forwards[i], err = vm.ParseForward(text); err != nil {
			return usagef("%v", err)
		}
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	if err := bootable(s); err != nil {
		return err
	}
	running, err := o.running(c, s)
	if err != nil {
		return err
	}
	w := trial.Machine{
		MemoryMiB: o.memory, CPUs: o.cpus, Forwards: forwards, Persist: o.persist, SSH: o.ssh, Command: c.args[1:],
		Say: c.say, Meanwhile: c.sayBeside, NotServed: c.notServed,
	}
	var m *publish.Manifest
	var tools []string
	if running != nil {
		tools, err = c.newest(ctx, s)
	} else {
		m, tools, err = c.built(ctx, s)
	}
	if err != nil {
		return err
	}
	if fd := int(c.In.Fd()); term.IsTerminal(fd) {
		w.Attended, w.Shell.Terminal = true, os.Getenv("TERM")
		w.Shell.Columns, w.Shell.Rows, _ = term.GetSize(fd)
		// QEMU and ssh change the terminal's settings, and may be killed.
		if before, err := term.GetState(fd); err == nil {
			defer func() { _ = term.Restore(fd, before) }()
		}
	}
	if running != nil {
		return w.Take(ctx, c.builder, s, running, tools)
	}
	return w.Run(ctx, c.builder, s, m, tools)
}

// running returns the machine that is to take the build, and prints which one; nil if
// one is to be started.
func (o *runOptions) running(c *command, s *build.Subject) (*trial.Running, error) {
	if !o.ssh || o.another {
		return nil, nil
	}
	r, more, err := trial.FindRunning(c.builder, s, o.persist)
	if err != nil || r == nil {
		return nil, err
	}
	if err := r.Reachable(); err != nil {
		return nil, err
	}
	line := "the commit is for " + r.String() + "; --new starts another machine"
	if more > 0 {
		line += fmt.Sprintf(", and there are %s, which were started before", diag.Counted(more, "other one"))
	}
	c.say(line)
	for _, name := range []string{"memory", "cpus", "forward"} {
		if o.given.Changed(name) {
			c.say("--" + name + " does not change a machine that runs already")
		}
	}
	return r, nil
}

// sayBeside tells something while a machine has the terminal.
func (c *command) sayBeside(line string) { fmt.Fprintf(c.Err, "treewright: %s\r\n", line) }

// notServed tells why nothing is served to a machine.
func (c *command) notServed(err error) {
	var taken *serve.TakenError
	if errors.As(err, &taken) {
		c.sayBeside("another `./build serve` or `./build run` serves on " + taken.Addr + " already; the machine gets what that one has")
		return
	}
	c.sayBeside("nothing is served to the machine: " + err.Error())
}

// built returns the manifest of what is to be booted and the layers of QEMU's tree.
func (c *command) built(ctx context.Context, s *build.Subject) (m *publish.Manifest, tools []string, err error) {
	sink, err := c.sink()
	if err != nil {
		return nil, nil, err
	}
	m, tools, err = trial.Built(ctx, c.builder, s, sink)
	return m, tools, errors.Join(err, sink.Close())
}

// newest builds the commit that a running machine is to take, and returns the layers of QEMU's tree.
func (c *command) newest(ctx context.Context, s *build.Subject) (tools []string, err error) {
	sink, err := c.sink()
	if err != nil {
		return nil, err
	}
	tools, err = trial.Newest(ctx, c.builder, s, sink)
	return tools, errors.Join(err, sink.Close())
}
