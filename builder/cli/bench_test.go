package cli

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// BenchmarkCheck checks trees of so many features and flavours, as ./build check does.
// docs/performance.md has the figures.
func BenchmarkCheck(b *testing.B) {
	none, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer none.Close()
	for _, n := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := treetest.Large(b, b.TempDir(), n, n)
			b.ReportAllocs()
			for b.Loop() {
				if code := Main([]string{"treewright", "-C", dir, "check"}, Streams{Out: none, Err: none}); code != 0 {
					b.Fatalf("check ends with %d", code)
				}
			}
		})
	}
}

// BenchmarkCheckProcess does so in a process of its own, and reports the resources of that process: the time of processors,
// and the most memory that it had. `test/bench --plot` draws it.
func BenchmarkCheckProcess(b *testing.B) {
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{250, 500, 1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := treetest.Large(b, b.TempDir(), n, n)
			var processors time.Duration
			var peak int64
			for b.Loop() {
				// By that name it is the command: see TestMain.
				cmd := exec.Cmd{Path: program, Args: []string{"treewright", "-C", dir, "check"}}
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				processors += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
			}
			b.ReportMetric(processors.Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
		})
	}
}
