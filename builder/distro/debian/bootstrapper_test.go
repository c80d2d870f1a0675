package debian

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
)

// TestBootstrapper: the version that is read is the one that the program prints, since it is in
// keys. What declares none, or two, is asked.
func TestBootstrapper(t *testing.T) {
	if sandbox.Installed("mmdebstrap") {
		read, err := Family{}.Bootstrapper(t.Context())
		printed, err2 := askBootstrapper(t.Context())
		if err != nil || err2 != nil || read != printed {
			t.Errorf("read %q, printed %q, errors %v, %v", read, printed, err, err2)
		}
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for text, want := range map[string]string{
		"#!/bin/sh\nour $VERSION = '1.5.7';\nexit 1\n":                                   "mmdebstrap 1.5.7",
		"#!/bin/sh\necho mmdebstrap 9\n":                                                 "mmdebstrap 9",
		"#!/bin/sh\necho mmdebstrap 9; exit\nour $VERSION = '1';\nour $VERSION = '2';\n": "mmdebstrap 9",
	} {
		if err := os.WriteFile(filepath.Join(dir, "mmdebstrap"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := (Family{}).Bootstrapper(t.Context()); got != want || err != nil {
			t.Errorf("%q: the version is %q, error %v", text, got, err)
		}
	}
}
