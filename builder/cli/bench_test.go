package cli

import (
	"fmt"
	"os"
	"testing"

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
