package build

import (
	"errors"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// TestUnknownEmulator: what cannot be emulated is a fault of the machine, which is named.
func TestUnknownEmulator(t *testing.T) {
	err := checkEmulation(t.Context(), debian.Family{}, "vax", t.TempDir(), &recorder{})
	var host *diag.Host
	if !errors.As(err, &host) || !strings.Contains(err.Error(), "steps run programs of vax") || !strings.Contains(err.Error(), "no emulator for vax is known") {
		t.Errorf("error %v", err)
	}
}

// TestInstalledEmulator: the first program that is there counts.
func TestInstalledEmulator(t *testing.T) {
	programs := []distro.Program{{Name: "no-such-emulator-static"}, {Name: "sh"}}
	if path := installed(programs); !strings.HasSuffix(path, "/sh") {
		t.Errorf("found %q", path)
	}
	if path := installed(programs[:1]); path != "" {
		t.Errorf("found %q, which is not there", path)
	}
}
