package build

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
)

// checkEmulation makes sure that this machine runs programs of another architecture in
// roots below dir, installing and registering an emulator if it does not.
func checkEmulation(ctx context.Context, d distro.Distro, arch, dir string, sink event.Sink) error {
	if sandbox.Runs(ctx, arch, dir) == nil {
		return nil
	}
	refuse := func(format string, args ...any) error {
		return diag.Hostf("steps run programs of %s, the architecture of the system that is built, and this machine does not: %s", arch, fmt.Sprintf(format, args...))
	}
	emulators := d.Emulators(arch)
	if len(emulators) == 0 {
		return refuse("no emulator for %s is known", arch)
	}
	r := reporter{sink}
	path := installed(emulators)
	if path == "" {
		if err := install(ctx, r, []string{emulators[0].Package}); err != nil {
			return err
		}
		// Where systemd runs, it has registered what was installed.
		if sandbox.Runs(ctx, arch, dir) == nil {
			return nil
		}
		if path = installed(emulators); path == "" {
			return refuse("the package %s has neither %s nor %s", emulators[0].Package, emulators[0].Name, emulators[len(emulators)-1].Name)
		}
	}
	if err := sandbox.Register(arch, path); err != nil {
		return refuse("%v. In a container, which may not do that, %s has to be registered on the machine that runs the container, with the flag F; "+
			"installing the package %s there does so", err, path, emulators[0].Package)
	}
	if err := sandbox.Runs(ctx, arch, dir); err != nil {
		return refuse("%s is registered for them, and a program that does nothing fails: %v. The emulator must be a static program", path, err)
	}
	r.note("registered %s for programs of %s on this machine, until it is restarted", path, arch)
	return nil
}

// installed returns the path of the first of some programs that this machine has, "" if
// it has none.
func installed(programs []distro.Program) string {
	for _, p := range programs {
		if path := sandbox.Find(p.Name); path != "" {
			return path
		}
	}
	return ""
}
