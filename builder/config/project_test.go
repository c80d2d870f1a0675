package config_test

import (
	"bytes"
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
)

// TestShipped reads the project itself, which must have nothing to complain of.
func TestShipped(t *testing.T) {
	p, diags := config.Load(treewright.Tree(), config.Options{})
	if len(diags) > 0 {
		var b bytes.Buffer
		if err := config.WriteDiagnostics(&b, p, diags, 80, false); err != nil {
			t.Fatal(err)
		}
		t.Error(b.String())
	}
	names := map[string]bool{}
	for _, f := range p.Flavours {
		names[f.Name] = true
	}
	for _, want := range []string{
		"debian-testing-amd64-ostree",
		"debian-trixie-amd64-minimal", "debian-trixie-arm64-minimal",
		"debian-testing-amd64-minimal", "debian-testing-arm64-minimal", "debian-testing-arm64-ostree",
	} {
		if !names[want] {
			t.Errorf("there is no flavour %s", want)
		}
	}
	if names["debian-minimal"] {
		t.Error("an abstract flavour is listed")
	}
}
