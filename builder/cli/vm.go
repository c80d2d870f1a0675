package cli

import (
	"context"
	"os"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/vm"
)

var vmExecVerb = &verb{name: vm.ExecVerb, hidden: true, summary: "carry out the virtual machine's job described on file descriptor 3", run: runVMExec}

func runVMExec(ctx context.Context, _ *command) error {
	return vm.Exec(ctx, os.NewFile(3, "job"))
}

// machineOptions are the options for how large a machine is.
type machineOptions struct{ memory, cpus int }

// flags declares them, and those of the build that comes first.
func (o *machineOptions) flags(f *pflag.FlagSet, common *options) {
	f.IntVar(&o.memory, "memory", 2048, "MiB of memory of the machine")
	f.IntVar(&o.cpus, "cpus", min(2, runtime.NumCPU()), "the machine's processors")
	addFlags(f, common, rules.Planning)
	progressFlags(f, common)
}

func (o *machineOptions) check() error {
	if o.memory < 256 || o.cpus < 1 {
		return usagef("a virtual machine needs at least 256 MiB of memory and one processor")
	}
	return nil
}
