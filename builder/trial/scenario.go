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

// Asked says how a build is tested.
type Asked struct {
	Report *vm.Report
	Logs   string // the directory for the console's log and others, "" for the bench's
	// MemoryMiB and CPUs are how large the machine is.
	MemoryMiB, CPUs int
	// Say is told what is out of the ordinary.
	Say func(line string)
	// Started is told where the console's log is once the test begins.
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
	s, err := b.scenario(ctx, a)
	if err != nil {
		return err
	}
	a.Started(filepath.Join(a.Logs, vm.SerialLog))
	if b.Subject.Tested {
		err = s.Run(ctx)
	} else {
		err = s.RunLogin(ctx)
	}
	return errors.Join(err, b.Close())
}

// scenario makes the machine's disks and what is served to it, and puts the
// scenario together.
func (b *Bench) scenario(ctx context.Context, a Asked) (*vm.Scenario, error) {
	scenario := &vm.Scenario{Report: a.Report, Flavour: b.Subject.Spec.Flavour.Name, Logs: a.Logs}
	var served, listen string
	var all []vm.Tests
	var err error
	if b.Subject.Served {
		if served, err = b.stageServed(); err != nil {
			return nil, err
		}
		if listen, scenario.Base, err = b.address(); err != nil {
			return nil, err
		}
		scenario.Follow = remoteOf(b.Subject.Spec, scenario.Base, b.repository())
	}
	if b.Subject.Tested {
		if all, err = b.findTests(scenario); err != nil {
			return nil, err
		}
	}
	if scenario.Session, err = b.session(ctx, a); err != nil {
		return nil, err
	}
	scenario.Session.Job.Serve, scenario.Session.Job.ServeOn = served, listen
	if err := scenario.Session.WritePayload(all); err != nil {
		return nil, err
	}
	if b.next != nil {
		scenario.Upgrade = b.upgrade(ctx, filepath.Join(served, scenario.Flavour, b.repository()))
	}
	return scenario, nil
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
