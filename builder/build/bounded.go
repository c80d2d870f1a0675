package build

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/diag"
)

// What a tree may take to be read and resolved. These are a net: whatever a tree
// holds, bounds of what is read and worked out (builder/config/bounds.go,
// builder/treefs) end it long before.
const (
	mostTime   = 5 * time.Second // of the processor, so that a busy machine makes no difference
	mostMemory = 420 << 20
	// comfortable is from where on the garbage collector works harder.
	comfortable = 300 << 20
	// garbage is how much of it, in percent of the used memory, is collected at once until then: reading
	// a tree allocates little, and most of that is kept.
	garbage = 400
)

// Bounded does what reads and resolves a tree, and gives up if that takes too
// much. It is then left to itself: the caller ends the program, and uses nothing
// of what it was about to set.
func (b *Builder) Bounded(do func() error) error {
	done := make(chan error, 1)
	limit := debug.SetMemoryLimit(comfortable)
	defer debug.SetMemoryLimit(limit)
	percent := debug.SetGCPercent(garbage)
	defer debug.SetGCPercent(percent)
	start := processorTime()
	go func() { done <- do() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
		problem := ""
		if processorTime()-start > mostTime {
			problem = fmt.Sprintf("%s of the processor's time", mostTime)
		} else if memoryInUse() > mostMemory {
			problem = fmt.Sprintf("%d MiB of memory", mostMemory>>20)
		}
		if problem != "" {
			return &diag.Faults{List: hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: "Tree too large",
				Detail: fmt.Sprintf("Reading and resolving the tree took more than %s and was stopped. The last file that was read is %s. The cause can also be what the tree expands to: loops, a matrix, many features in many flavours.", problem, quoted(b.tree.Last())),
			}}}
		}
	}
}

func processorTime() time.Duration {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// memoryInUse is what the program has of the machine's memory.
func memoryInUse() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// quoted is %q for a name from outside, of which a message need not hold much.
func quoted(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
