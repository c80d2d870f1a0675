package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/vm"
)

var vmExecVerb = &verb{name: vm.ExecVerb, hidden: true, summary: "carry out the virtual machine's job described on file descriptor 3", run: runVMExec}

func runVMExec(ctx context.Context, _ *command) error {
	return vm.Exec(ctx, os.NewFile(3, "job"))
}

// vmLayers makes the layer with QEMU, as far as it is missing, and returns its
// tree's layers. It is of the flavour's own suite; a tree's archive may have no
// QEMU, as Garden Linux's, and then it is of Debian's.
func (c *command) vmLayers(ctx context.Context, spec *compose.Spec, sink event.Sink) ([]string, error) {
	layers, err := c.vmLayersOf(ctx, spec, sink)
	var unknown *debian.UnknownError
	if spec.Target == nil || !errors.As(err, &unknown) {
		return layers, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: fmt.Sprintf("%v; QEMU comes from %s %s", err, defaultMirror, defaultVersion)})
	flavour, other := *spec.Flavour, *spec
	flavour.Distribution.Mirror, flavour.Distribution.Suite, flavour.Distribution.Keyring = defaultMirror, defaultVersion, debian.DefaultKeyring
	other.Flavour = &flavour
	return c.vmLayersOf(ctx, &other, sink)
}

func (c *command) vmLayersOf(ctx context.Context, spec *compose.Spec, sink event.Sink) ([]string, error) {
	d := spec.Flavour.Distribution
	if d.Arch != runtime.GOARCH || stage.VMPackages(d.Arch) == nil {
		return nil, usagef("%q is for %s; virtual machines are run for amd64 on amd64 only", spec.Flavour.Name, d.Arch)
	}
	// What is in its cache is held as long as this process lives, and with it the
	// machine.
	p := &prepared{spec: spec, output: c.outputOf(spec)}
	id := ""
	err := c.planning(ctx, p, sink, func() (err error) {
		id, err = c.planVM(ctx, p, sink)
		return err
	})
	if err != nil {
		return nil, err
	}
	stack := p.graph.Stack(id)
	if _, err := c.run(ctx, p, withoutCached{sink}, stack); err != nil {
		return nil, err
	}
	dirs := make([]string, len(stack))
	for i, l := range stack {
		dirs[i] = p.store.Data(p.graph.Key(l))
	}
	return dirs, nil
}

// planVM plans the steps of QEMU's tree and returns the last one's ID.
func (c *command) planVM(ctx context.Context, p *prepared, sink event.Sink) (id string, err error) {
	d := p.spec.Flavour.Distribution
	bootstrapper, err := c.checkHost(ctx, sink, d.Arch)
	if err != nil {
		return "", err
	}
	policy, err := debian.HostPolicy(ctx)
	if err != nil {
		return "", err
	}
	var base, closure *debian.Closure
	err = phase(sink, "resolve the packages of QEMU", func() error {
		archive, err := debian.OpenArchive(ctx, c.options.cache, debian.Source{
			Mirror: d.Mirror, Suite: d.Suite, Arch: d.Arch, Components: d.Components, Keyring: c.keyring(d.Keyring),
		}, policy, c.options.offline, policy.Client(download.Patient, notes(sink)))
		if err != nil {
			return err
		}
		if base, err = archive.Resolve(ctx, nil, nil); err != nil {
			return err
		}
		closure, err = archive.Resolve(ctx, base, stage.VMPackages(d.Arch))
		return err
	})
	if err != nil {
		return "", err
	}
	p.graph, id, err = stage.PlanVM(stage.Request{
		Spec: p.spec, Bootstrapper: bootstrapper, Sources: stage.Sources{Root: filepath.Join(c.options.cache, "sources")},
		Fetch: debian.FetchHints{Mirror: d.Mirror, Cache: filepath.Join(c.options.cache, "packages"), Proxies: policy.Proxies()},
	}, base, closure)
	return id, err
}

// imageName is what the manifest of a build calls the disk image. Of a cname it
// is the raw one, or else the only one that a feature makes under another name
// (ostree.raw).
func imageName(spec *compose.Spec) string {
	if spec.Target == nil {
		return spec.Flavour.Name + ".raw"
	}
	var others []string
	for _, a := range spec.Artifacts {
		if a.Extension == "raw" {
			return a.Extension
		}
		if strings.HasSuffix(a.Extension, ".raw") {
			others = append(others, a.Extension)
		}
	}
	if len(others) == 1 {
		return others[0]
	}
	return "raw"
}

// imageOf returns the path of the disk image that a manifest lists.
func (c *command) imageOf(spec *compose.Spec, m *engine.Manifest) (string, error) {
	name := imageName(spec)
	for _, a := range m.Artifacts {
		if a.Name == name {
			return filepath.Join(c.outputOf(spec).Public, a.Name), nil
		}
	}
	if spec.Target != nil {
		return "", usagef("%s has no disk image (.raw): its features make something else", spec.Flavour.Name)
	}
	return "", usagef("flavour %q has no image: it needs a feature with stage: image (ostreeImage)", spec.Flavour.Name)
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

// machineSize are the options for how large a machine is.
func (c *command) machineSize() (memory, cpus int, err error) {
	if c.options.vmMemory < 256 || c.options.vmCPUs < 1 {
		return 0, 0, usagef("a machine wants 256 MiB of memory and one processor at the least")
	}
	return c.options.vmMemory, c.options.vmCPUs, nil
}

// withoutCached is a sink that is not told of steps that are there already:
// they are those of a build that was shown before.
type withoutCached struct{ event.Sink }

func (s withoutCached) Emit(e event.Event) {
	if e.Kind != event.StepCached {
		s.Sink.Emit(e)
	}
}
