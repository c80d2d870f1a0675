package build

import (
	"strings"
	"testing"
)

// TestFilesAreNamedAsWritten: what is wrong with a keyring or a certificate is told
// without the path on this machine, as the message has the path that was written.
func TestFilesAreNamedAsWritten(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{withoutPath(Families[0].CheckKeyring(dir)), withoutPath(checkAuthority(dir))} {
		if err == nil || strings.Contains(err.Error(), dir) || !strings.HasPrefix(err.Error(), "it is a directory") {
			t.Errorf("error %v", err)
		}
	}
	if err := withoutPath(nil); err != nil {
		t.Error(err)
	}
}
