package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/trial"
	"github.com/treewright/treewright/builder/vm"
)

var runVerb = &verb{
	name: "run", args: "FLAVOUR" + added(rules.Running).Or + " [-- COMMAND...]", summary: "boot a flavour's image in a virtual machine",
	example: "./build run debian-trixie-amd64-ostree\n./build run debian-trixie-amd64-ostree --ssh -- systemctl status",
	details: `Boots the image that was built last (it is built if there is none yet) in QEMU,
with the serial console on this terminal. Root is logged in there: the machine's
firmware passes that, for this run only; the image has no password. exit switches
the machine off, and Ctrl-A X does so at once, like a power cut.
With --ssh it opens a shell in the machine by ssh instead, or runs COMMAND there,
with a key made for this run, and passes on its exit code.

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
	ssh, persist bool
	forwards     []string
}

func (o *runOptions) flags(f *pflag.FlagSet, common *options) {
	f.BoolVar(&o.ssh, "ssh", false, "open a shell by ssh instead of the console")
	f.BoolVar(&o.persist, "persist", false, "keep the machine's disk, and start from the kept disk")
	f.StringArrayVarP(&o.forwards, "forward", "p", nil, "forward a port of this machine to a port of the guest: `[ADDRESS:]PORT:GUESTPORT`; may be repeated")
	o.machineOptions.flags(f, common)
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
	m, tools, err := c.built(ctx, s)
	if err != nil {
		return err
	}
	w := trial.Machine{
		MemoryMiB: o.memory, CPUs: o.cpus, Forwards: forwards, Persist: o.persist, SSH: o.ssh, Command: c.args[1:],
		Say: c.say, Meanwhile: c.sayBeside, NotServed: c.notServed,
	}
	if fd := int(c.In.Fd()); term.IsTerminal(fd) {
		w.Attended, w.Shell.Terminal = true, os.Getenv("TERM")
		w.Shell.Columns, w.Shell.Rows, _ = term.GetSize(fd)
		// QEMU and ssh change the terminal's settings, and may be killed.
		if before, err := term.GetState(fd); err == nil {
			defer func() { _ = term.Restore(fd, before) }()
		}
	}
	return w.Run(ctx, c.builder, s, m, tools)
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
