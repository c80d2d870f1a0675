package gardenlinux

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestHelper: a program that is started by the name of a helper is that helper, also
// through a link, and otherwise not.
func TestHelper(t *testing.T) {
	stdin := os.Stdin
	defer func() { os.Stdin = stdin }()
	for name, want := range map[string]bool{"/builder/image.d/uuid_hash": true, "mv_data": true, "treewright": false, "/usr/bin/build": false, "": false} {
		in, err := os.Create(filepath.Join(t.TempDir(), "in"))
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin = in
		done, err := Helper(context.Background(), []string{name, "--unknown"})
		in.Close()
		if done != want || (err != nil) != want {
			t.Errorf("%q: done %t, error %v; want %t", name, done, err, want)
		}
	}
	if done, err := Helper(context.Background(), nil); done || err != nil {
		t.Errorf("without a name: done %t, error %v", done, err)
	}
}
