package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/vm"
)

// Asked describes how a build is tested.
type Asked struct {
	Report *vm.Report
	// Tests are those of the features that are run, as FEATURE/TEST, FEATURE/* or
	// FEATURE; all if there are none.
	Tests []string
	// Keep keeps the machine after the first test that fails; nil if that is not wanted.
	Keep *vm.Keep
	Logs string // the directory for the console's log and others, "" for the bench's
	// MemoryMiB and CPUs are how large the machine is.
	MemoryMiB, CPUs int
	// Say gets what is out of the ordinary.
	Say func(line string)
	// Started gets where the console's log is once the test begins.
	Started func(log string)
}

// Test tests the image in a machine, and reports what it finds. Nobody else tests
// the same meanwhile.
func (b *Bench) Test(ctx context.Context, a Asked) error {
	var err error
	if a.Logs == "" {
		a.Logs = b.Dir
	} else if a.Logs, err = filepath.Abs(a.Logs); err != nil {
		return err
	}
	if err := os.MkdirAll(a.Logs, 0o755); err != nil {
		return err
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(b.Dir, ".lock"), func() {
		a.Say(fmt.Sprintf("another test of %s is running; this one continues when it ends", b.Subject.Flavour()))
	})
	if err != nil {
		return err
	}
	defer unlock()
	s, done, err := b.scenario(ctx, a)
	if err != nil {
		return err
	}
	defer done()
	b.describe(a.Report, s)
	a.Started(filepath.Join(a.Logs, vm.SerialLog))
	if b.Subject.Tested {
		err = s.Run(ctx)
	} else {
		err = s.RunLogin(ctx)
	}
	return errors.Join(err, b.Close())
}

// scenario makes the machine's disks and what is served to it, and puts the
// scenario together. done is for its end.
func (b *Bench) scenario(ctx context.Context, a Asked) (scenario *vm.Scenario, done func(), err error) {
	done = func() {}
	scenario = &vm.Scenario{Report: a.Report, Keep: a.Keep, Flavour: b.Subject.Spec.Flavour.Name, Logs: a.Logs}
	var served, listen string
	var all []vm.Tests
	if b.Subject.Served {
		if served, err = b.stageServed(); err != nil {
			return nil, nil, err
		}
		listen, scenario.Base = b.address()
		scenario.Follow, scenario.Lead = remoteOf(b.Subject.Spec, scenario.Base, b.repository()), b.lead
		if scenario.Follow != nil {
			scenario.Follow.Signed = b.Keys() != nil
		}
		b.sayWhatIsFollowed(scenario, a.Say)
	}
	if b.Subject.Tested {
		if all, err = b.findTests(scenario, a.Tests); err != nil {
			return nil, nil, err
		}
	}
	if scenario.Session, err = b.session(ctx, a); err != nil {
		return nil, nil, err
	}
	scenario.Session.Job.Serve, scenario.Session.Job.ServeOn = served, listen
	if scenario.Lead != nil {
		scenario.Session.Job.Site = &scenario.Lead.Site
	}
	if err := scenario.Session.WritePayload(all); err != nil {
		return nil, nil, err
	}
	switch {
	case b.packages:
		if scenario.Packages, done, err = b.packagesOf(ctx, served, scenario.Base, a.Say); err != nil {
			return nil, nil, err
		}
		scenario.Session.Job.Outlets, scenario.Session.Job.ServeOn = scenario.Packages.Outlets(listen), ""
	case b.next != nil:
		scenario.Upgrade, err = b.upgrade(ctx, filepath.Join(served, scenario.Flavour, b.repository()))
	}
	return scenario, done, err
}

// session makes the machine's disks and an empty console log.
func (b *Bench) session(ctx context.Context, a Asked) (*vm.Session, error) {
	image, err := b.builder.Image(b.Subject, b.Manifest)
	if err != nil {
		return nil, err
	}
	if err := b.Close(); err != nil {
		return nil, err
	}
	for _, old := range []string{vm.SerialLog, vm.FailedUnitsLog} {
		if err := os.RemoveAll(filepath.Join(a.Logs, old)); err != nil {
			return nil, err
		}
	}
	serial, err := os.Create(filepath.Join(a.Logs, vm.SerialLog))
	if err != nil {
		return nil, err
	}
	serial.Close()
	arch := b.Subject.Spec.Flavour.Distribution.Arch
	s := &vm.Session{
		Job: vm.Job{
			Tools: b.tools, Dir: filepath.Join(b.Dir, machineDir), KVM: useKVM(arch, a.Say),
			Files: map[string]string{imageFile: image.Path}, Shares: map[string]string{"/serial.log": serial.Name()},
		},
		Machine: vm.Machine{Arch: arch, Disk: vm.SharedDir + "/disk.qcow2", Firmware: vm.SharedDir + "/vars.fd", SerialLog: "/serial.log", MemoryMiB: a.MemoryMiB, CPUs: a.CPUs},
		Waiting: func(what string, since, limit time.Duration) {
			a.Report.Note("waiting for %s, %s so far, %s at the most", what, since.Round(time.Second), limit)
		},
	}
	s.Machine.KVM = s.Job.KVM
	if a.Keep != nil {
		a.Keep.Prepare(s)
	}
	if s.Machine.BIOS, err = needsBIOS(image, a.Say); err != nil {
		return nil, err
	}
	return s, newDisk(ctx, s.Job, s.Machine, imageFile, image.Format)
}

// imageFile is where QEMU finds the image.
const imageFile = "/image"

// machineDir is the directory of the machine's files, below the test's.
const machineDir = "machine"

// Close removes the machine's files.
func (b *Bench) Close() error { return os.RemoveAll(filepath.Join(b.Dir, machineDir)) }

// sayWhatIsFollowed prints which part of the way to updates is tested.
func (b *Bench) sayWhatIsFollowed(s *vm.Scenario, say func(string)) {
	switch {
	case b.notLed != nil:
		say("remote_url is not tested: " + b.notLed.Error())
	case s.Lead != nil:
		say(s.Lead.Remote.URL + " is led to the server of this test, inside the virtual machine only")
	case s.Follow != nil:
		say("the image follows no repository, as remote_url is not set; the virtual machine is told to follow " + s.Follow.URL)
	}
}

// findTests puts the tests that are chosen into the scenario, and returns those of all
// features.
func (b *Bench) findTests(s *vm.Scenario, chosen []string) ([]vm.Tests, error) {
	system, extensions, err := featureTests(b.builder, b.Subject)
	if err != nil {
		return nil, err
	}
	s.Listens = b.Subject.Spec.Listens
	s.System, s.Extensions, err = choose(system, extensions, chosen)
	s.Chosen = len(chosen) > 0
	if err != nil {
		return nil, err
	}
	signed, err := signedExtensions(b.Subject, b.Manifest)
	for i, e := range s.Extensions {
		s.Extensions[i].Signed = signed[e.Name]
	}
	return flat(system, extensions), err
}

// describe notes what is tested.
func (b *Bench) describe(r *vm.Report, s *vm.Scenario) {
	r.Property("flavour", s.Flavour)
	r.Property("arch", s.Session.Machine.Arch)
	r.Property("kvm", fmt.Sprint(s.Session.Machine.KVM))
	if b.Manifest.Commit != "" {
		r.Property("commit", b.Manifest.Commit)
	}
	if s.Lead != nil {
		r.Property("remote_url", s.Lead.Remote.URL)
	}
}
