package trial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/stage/program"
	"github.com/treewright/treewright/builder/vm"
)

// Listen is where what was built is served to machines, on this one.
const Listen = "127.0.0.1:" + servedPort

// Machine is what a person wants of a machine.
type Machine struct {
	MemoryMiB, CPUs int
	Forwards        []vm.Forward
	// Persist keeps the machine's disk, and begins with the one kept.
	Persist bool
	// SSH is a shell by ssh in place of the console, or Command run by it.
	SSH     bool
	Command []string
	// Attended reports whether a person has the terminal that Shell describes.
	Attended bool
	Shell    vm.RootShell
	// closed reports whether the console shows a login for which the image has to have a
	// password.
	closed bool
	// server reports whether the image may have an ssh server, and takes whether there is a
	// repository from which it can take commits.
	server, takes bool

	// Say gets what a person should know before the machine starts, and Meanwhile
	// while it has the terminal. NotServed is told why nothing is served to it.
	Say, Meanwhile func(line string)
	NotServed      func(error)
}

// Run boots the image that a manifest lists, with the layers of QEMU's tree, for a
// person to use, until the machine is switched off or the person has enough.
func (w Machine) Run(ctx context.Context, b *build.Builder, s *build.Subject, m *publish.Manifest, tools []string) error {
	image, err := b.Image(s, m)
	if err != nil {
		return err
	}
	dir, done, err := w.directory(ctx, b.Output(s).Private, s.Name)
	if err != nil {
		return err
	}
	arch := s.Spec.Flavour.Distribution.Arch
	d := vm.Desktop{
		Job: vm.Job{Tools: tools, Dir: dir, KVM: useKVM(arch, w.Say), Network: true},
		Machine: vm.Machine{
			Arch: arch, MemoryMiB: w.MemoryMiB, CPUs: w.CPUs, Disk: vm.SharedDir + "/disk.qcow2", Firmware: vm.SharedDir + "/vars.fd", Forwards: w.Forwards,
		},
	}
	d.Machine.KVM = d.Job.KVM
	if remote := remoteOf(s.Spec, "http://"+vm.Host+":"+servedPort, m.Repository()); remote != nil {
		d.Machine.Credentials = remote.Credentials()
		w.Say("the image follows no repository, as remote_url is not set; this machine is told to follow " + remote.URL)
	}
	w.takes = s.Served && m.Repository() != ""
	if w = w.way(m); !w.SSH {
		d.Machine.Credentials = append(d.Machine.Credentials, w.Shell.Credentials(arch)...)
	}
	if d.Machine.BIOS, err = needsBIOS(image, w.Say); err == nil {
		err = w.start(ctx, d, b, s, image)
	}
	return errors.Join(err, done())
}

// directory returns the directory for the machine's files, and what to do at the end.
func (w Machine) directory(ctx context.Context, private, name string) (dir string, done func() error, err error) {
	if !w.Persist {
		return throwAway(ctx, private)
	}
	return keep(ctx, private, func() {
		w.Say(fmt.Sprintf("the virtual machine with the kept disk of %s is running; this one starts when it ends", name))
	})
}

// start makes the disk if there is none, serves what was built, and runs the machine.
func (w Machine) start(ctx context.Context, d vm.Desktop, b *build.Builder, s *build.Subject, image build.Image) error {
	if err := keepDisk(ctx, d.Job, d.Machine, image); err != nil {
		return err
	}
	if !s.Served {
		// Nothing that a machine could be upgraded from was built.
		err := w.attend(ctx, d)
		if errors.Is(err, vm.ErrNoSSH) {
			err = fmt.Errorf("%w\n\nThe image may have no ssh server that is started at boot; without --ssh, root is logged in on the console", err)
		}
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan struct{})
	go func() {
		defer close(served)
		// Other flavours may have a repository of the same name.
		h, err := serve.New(b.Output(s).Root(), []string{s.Flavour()}, w.Meanwhile)
		if err == nil {
			if s.Spec.StageFeature(program.Stage) != nil {
				// The machine is this person's, who may add anything.
				defer h.Extend(ctx, build.Extender{Builder: b}, anyPackages)()
			}
			err = serve.Serve(ctx, Listen, h, nil)
		}
		if err != nil {
			// This is not a reason not to run the machine.
			w.NotServed(err)
		}
	}()
	err := w.attend(ctx, d)
	stop()
	<-served
	return err
}

// anyPackages lets a machine ask for all packages.
var anyPackages = &config.Extend{Packages: []string{"*"}, Jobs: 1, Queue: 4, MostPackages: extend.MostPackages, Timeout: vm.ImageLimit}

// attend connects the person with the machine until one of them has enough.
func (w Machine) attend(ctx context.Context, d vm.Desktop) error {
	d.Job.Term = w.Shell.Terminal
	r := Running{record{Process: os.Getpid(), Started: time.Now(), Kept: w.Persist, KVM: d.Machine.KVM}, d.Job.Dir}
	var g vm.Guest
	if w.SSH || w.takes && w.server {
		var err error
		if g, err = w.reach(&d); err != nil {
			return err
		}
		if w.server {
			r.SSH = g.Addr
		}
	}
	if w.takes && len(w.Command) == 0 { // a restart would end the command
		forget, err := r.note(d.Job.Dir)
		if err != nil {
			return err
		}
		defer forget()
	}
	if !w.SSH {
		w.Say(w.booting(d.Machine.KVM))
		return d.Console(ctx)
	}
	d.Machine.SerialLog = vm.SharedDir + "/" + vm.SerialLog
	w.Say(fmt.Sprintf("booting; waiting for its ssh server, for %s at most; the end of the shell or command switches the machine off", r.limit()))
	return d.SSH(ctx, g, w.Command, r.restarts(g, w.Meanwhile), w.Persist, r.limit())
}

// reach gives a machine a way to its ssh server, and the key with which root gets in.
func (w Machine) reach(d *vm.Desktop) (vm.Guest, error) {
	authorized, err := vm.KeyFor(d.Job.Shared())
	if err != nil {
		return vm.Guest{}, err
	}
	addr, err := freePort()
	if err != nil {
		return vm.Guest{}, err
	}
	d.Machine.Forwards = append(d.Machine.Forwards, vm.Forward{Host: addr, Guest: 22})
	d.Machine.Credentials = append(d.Machine.Credentials, vm.KeyCredential(authorized))
	return vm.Guest{Tools: d.Job.Tools, Dir: filepath.Join(d.Job.Dir, "ssh"), Addr: addr, Key: vm.KeyPath(d.Job.Shared()), Term: d.Job.Term}, nil
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
