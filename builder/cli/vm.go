package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/vm"
)

var vmExecVerb = &verb{name: vm.ExecVerb, hidden: true, summary: "carry out the virtual machine's job described on file descriptor 3", run: runVMExec}

func runVMExec(ctx context.Context, _ *command) error {
	return vm.Exec(ctx, os.NewFile(3, "job"))
}

// vmLayers makes the layer with QEMU, as far as it is missing, and returns its
// tree's layers. It is of the flavour's own suite; a tree's archive may have no
// QEMU, and then it is of Debian's.
func (c *command) vmLayers(ctx context.Context, s *build.Subject, sink event.Sink) ([]string, error) {
	layers, err := c.builder.MachineTools(ctx, s, nil, sink)
	var unknown *distro.UnknownError
	d := s.MachineTools
	if d == nil || !errors.As(err, &unknown) {
		return layers, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: fmt.Sprintf("%v; QEMU comes from %s %s", err, d.Mirror, d.Suite)})
	return c.builder.MachineTools(ctx, s, d, sink)
}

// useKVM says whether KVM works here, and if not, tells why on Err.
func (c *command) useKVM() bool {
	err := vm.CheckKVM()
	if err != nil {
		fmt.Fprintf(c.Err, "treewright: without KVM the machine is emulated, which takes ten times as long: %v\n", err)
	}
	return err == nil
}

// needsBIOS says whether an image is booted as on an old PC, and tells so on Err.
func (c *command) needsBIOS(image string) (bool, error) {
	bios, err := vm.NeedsBIOS(image)
	if bios {
		fmt.Fprintln(c.Err, "treewright: the image has a boot sector and no EFI system partition: the machine gets a BIOS in place of UEFI")
	}
	return bios, err
}

// extraDisk is by how much a machine's disk is larger than the image, in bytes.
const extraDisk = 4 << 30

// newDisk makes a machine's disk on top of an image, which must be among the
// job's files.
func newDisk(ctx context.Context, job vm.Job, m vm.Machine, image, inside string) error {
	info, err := os.Stat(image)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(job.Shared(), 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(job.Shared(), "disk.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	job.Argv, job.Serve = vm.NewDisk(m.Firmware, m.Disk, inside, info.Size()+extraDisk), ""
	if err := job.Run(ctx, false, log); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("make the machine's disk: %w\n%s", err, said)
	}
	return nil
}

// machineOptions are the options for how large a machine is.
type machineOptions struct{ memory, cpus int }

// flags declares them, and those of the build that comes first.
func (o *machineOptions) flags(f *pflag.FlagSet, common *options) {
	f.IntVar(&o.memory, "memory", 2048, "MiB of memory of the machine")
	f.IntVar(&o.cpus, "cpus", min(2, runtime.NumCPU()), "the machine's processors")
	cnameFlags(f, common)
	progressFlags(f, common)
}

func (o *machineOptions) check() error {
	if o.memory < 256 || o.cpus < 1 {
		return usagef("a machine wants 256 MiB of memory and one processor at the least")
	}
	return nil
}
