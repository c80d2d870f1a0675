package remote

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestTLSFaults: a file for TLS that is missing or is not of the right kind is an error with its name.
func TestTLSFaults(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "text.pem")
	treetest.Write(t, file, "not a certificate\n")
	none := filepath.Join(dir, "none.pem")
	for name, c := range map[string]struct {
		access Access
		want   string
	}{
		"an authority that does not exist":   {Access{Authority: none}, none},
		"an authority without a certificate": {Access{Authority: file}, file + " does not have a certificate in PEM"},
		"a certificate without a key":        {Access{Certificate: file}, "the client certificate " + file + " for the remote server does not have a key"},
		"a key without a certificate":        {Access{Key: file}, "the client key " + file + " for the remote server does not have a certificate"},
		"not a certificate":                  {Access{Certificate: file, Key: file}, "the client certificate of the remote server: "},
	} {
		if _, err := c.access.TLS(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
	config, err := Access{}.TLS()
	if err != nil || config.RootCAs != nil || config.InsecureSkipVerify {
		t.Errorf("without anything: %+v, error %v", config, err)
	}
}
