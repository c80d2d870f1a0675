package debian

import (
	"os"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// TestMissingKeyring: a keyring that is not there is a fault of the source, and that of
// Debian names its package.
func TestMissingKeyring(t *testing.T) {
	_, err := os.Stat("/no/such/file")
	own := missingKeyring(distro.Source{Name: "vendor", Keyring: "/no/such/file"}, err)
	if own.Source != "vendor" || own.Field != distro.KeyringField || !strings.Contains(own.Detail, "/no/such/file") || !strings.Contains(own.Detail, "no such file or directory") || strings.Contains(own.Detail, "apt-get") {
		t.Errorf("%+v", own)
	}
	usual := missingKeyring(distro.Source{Name: distro.MainSource, Keyring: Family{}.DefaultKeyring()}, err)
	if !strings.Contains(usual.Detail, "apt-get install debian-archive-keyring") || !usual.Outside {
		t.Errorf("%+v", usual)
	}
}
