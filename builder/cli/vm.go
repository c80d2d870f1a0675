package cli

import (
	"context"
	"os"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/vm"
)

var vmExecVerb = &verb{name: vm.ExecVerb, hidden: true, summary: "carry out the virtual machine's job described on file descriptor 3", run: runVMExec}

func runVMExec(ctx context.Context, _ *command) error {
	return vm.Exec(ctx, os.NewFile(3, "job"))
}

// bootable says, before anything is built, why no machine can be started with what it
// comes to.
func bootable(s *build.Subject) error {
	if len(s.Images) == 0 {
		return usagef("%s", s.NoImage)
	}
	return nil
}

// machineOptions are the options for how large a machine is.
type machineOptions struct{ memory, cpus int }

// flags declares them, and those of the build that comes first.
func (o *machineOptions) flags(f *pflag.FlagSet, common *options) {
	o.memory, o.cpus = 2048, min(2, runtime.NumCPU())
	f.Var(amount{&o.memory, 256, "MiB of memory"}, "memory", "MiB of memory of the machine")
	f.Var(amount{&o.cpus, 1, "a number of processors"}, "cpus", "the machine's processors")
	addFlags(f, common, rules.Planning)
	progressFlags(f, common)
	keyFlags(f, common)
	signFlags(f, common)
	traceFlag(f, common)
}
