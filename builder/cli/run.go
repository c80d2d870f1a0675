package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/trial"
	"github.com/treewright/treewright/builder/vm"
)

var runVerb = &verb{
	name: "run", args: "FLAVOUR" + added(rules.Running).Or + " [-- COMMAND...]", summary: "boot a flavour's image in a virtual machine",
	details: `Boots the image that was built last (it is built if there is none yet) in QEMU,
with the serial console on this terminal; Ctrl-A X switches the machine off.
With --ssh there is a shell in the machine instead, or COMMAND is run there, by a
key made for this machine. The machine's disk is thrown away at the end, unless
--persist keeps it for the next time. Meanwhile what was built is served, for the
machine at http://10.0.2.2:8080, so that it can be upgraded.` + added(rules.Running).Help,
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
	f.BoolVar(&o.ssh, "ssh", false, "a shell by ssh in place of the console")
	f.BoolVar(&o.persist, "persist", false, "keep the machine's disk, and begin with the one kept")
	f.StringArrayVarP(&o.forwards, "forward", "p", nil, "lead a port of this machine to one of the guest's, [ADDRESS:]PORT:GUESTPORT; may be repeated")
	o.machineOptions.flags(f, common)
}

func (o *runOptions) run(ctx context.Context, c *command) error {
	if len(c.args) == 0 || len(c.args) > 1 && !o.ssh {
		return usagef("run wants one flavour; a command to run in the machine goes with --ssh")
	}
	forwards := make([]vm.Forward, len(o.forwards))
	for i, text := range o.forwards {
		var err error
		if forwards[i], err = vm.ParseForward(text); err != nil {
			return usagef("%v", err)
		}
	}
	if err := o.check(); err != nil {
		return err
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	m, layers, err := c.built(ctx, s)
	if err != nil {
		return err
	}
	image, err := c.builder.Image(s, m)
	if err != nil {
		return err
	}
	dir, done, err := o.dir(ctx, c, s)
	if err != nil {
		return err
	}
	d := vm.Desktop{
		Job:     vm.Job{Tools: layers, Dir: dir, KVM: trial.UseKVM(c.say), Network: true},
		Machine: vm.Machine{MemoryMiB: o.memory, CPUs: o.cpus, Disk: vm.SharedDir + "/disk.qcow2", Firmware: vm.SharedDir + "/vars.fd", Forwards: forwards},
	}
	d.Machine.KVM = d.Job.KVM
	if remote := trial.RemoteOf(s.Spec, "http://"+trial.GuestHost+":"+trial.Port, trial.Repository(m)); remote != nil {
		d.Machine.Credentials = remote.Credentials()
		fmt.Fprintf(c.Err, "treewright: the image follows no repository, as remote_url is not set; this machine is told to follow %s\n", remote.URL)
	}
	if d.Machine.BIOS, err = trial.NeedsBIOS(image, c.say); err == nil {
		err = o.start(ctx, c, d, s, image)
	}
	return errors.Join(err, done())
}

// built returns the manifest of what is to be booted and the layers of QEMU's tree.
func (c *command) built(ctx context.Context, s *build.Subject) (m *publish.Manifest, tools []string, err error) {
	sink, err := c.sink()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	start := time.Now()
	if m, tools, err = trial.Built(ctx, c.builder, s, sink); err != nil {
		return nil, nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: s.Flavour(), Duration: time.Since(start)})
	return m, tools, nil
}

// dir returns the directory for a machine's files, and what to do at the end.
func (o *runOptions) dir(ctx context.Context, c *command, s *build.Subject) (dir string, done func() error, err error) {
	private := c.builder.Output(s).Private
	if !o.persist {
		return trial.ThrowAway(ctx, private)
	}
	return trial.Keep(ctx, private, func() {
		c.say(fmt.Sprintf("the machine that is kept for %s is running; this one starts when it ends", s.Name))
	})
}

// start makes the disk if there is none, serves what was built, and runs
// the machine.
func (o *runOptions) start(ctx context.Context, c *command, d vm.Desktop, s *build.Subject, image build.Image) error {
	if err := trial.KeepDisk(ctx, d.Job, d.Machine, image); err != nil {
		return err
	}
	if !s.Served {
		// Nothing that a machine could be upgraded from was built.
		err := o.attend(ctx, c, d)
		if errors.Is(err, vm.ErrNoSSH) {
			err = fmt.Errorf("%w\n\nThe image may have no ssh server that starts by itself; without --ssh there is the console", err)
		}
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan struct{})
	go func() {
		defer close(served)
		c.serveBeside(ctx, s.Flavour())
	}()
	err := o.attend(ctx, c, d)
	stop()
	<-served
	return err
}

// serveBeside serves what was built of a flavour while a machine runs. Other
// flavours may have a repository of the same name. That nothing can be served
// is no reason not to run the machine.
func (c *command) serveBeside(ctx context.Context, name string) {
	say := func(line string) { fmt.Fprintf(c.Err, "treewright: %s\r\n", line) }
	h, err := serve.New(c.options.output, []string{name}, say)
	if err == nil {
		err = serve.Serve(ctx, defaultListen, h, nil)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && servesAlready(ctx, defaultListen):
		say("another `./build serve` or `./build run` serves on " + defaultListen + " already; the machine gets what that one has")
	case err != nil:
		say("nothing is served to the machine: " + err.Error())
	}
}

// attend connects the person with the machine until one of them has enough.
func (o *runOptions) attend(ctx context.Context, c *command, d vm.Desktop) error {
	if fd := int(c.In.Fd()); term.IsTerminal(fd) {
		d.Job.Term = os.Getenv("TERM")
		// QEMU and ssh change the terminal's settings, and may be killed.
		if before, err := term.GetState(fd); err == nil {
			defer func() { _ = term.Restore(fd, before) }()
		}
	}
	if !o.ssh {
		fmt.Fprintf(c.Err, "treewright: booting; Ctrl-A X switches the machine off\n")
		return d.Console(ctx)
	}
	authorized, err := vm.KeyFor(d.Job.Shared())
	if err != nil {
		return err
	}
	addr, err := freePort()
	if err != nil {
		return err
	}
	d.Machine.Forwards = append(d.Machine.Forwards, vm.Forward{Host: addr, Guest: 22})
	d.Machine.Credentials = append(d.Machine.Credentials, vm.KeyCredential(authorized))
	d.Machine.SerialLog = vm.SharedDir + "/" + vm.SerialLog
	limit := 2 * time.Minute
	if !d.Machine.KVM {
		limit = 10 * time.Minute
	}
	fmt.Fprintf(c.Err, "treewright: booting; waiting for its ssh server, %s at the most\n", limit)
	return d.SSH(ctx, net.TCPAddrFromAddrPort(addr), c.args[1:], o.persist, limit)
}

// freePort finds a port of the loopback device that nobody listens on.
func freePort() (netip.AddrPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return netip.ParseAddrPort(l.Addr().String())
}
