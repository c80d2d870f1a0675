//go:build e2e && proof

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProofRemoteURL: an image is tested with its own remote_url, by name with TLS and by
// address, at a path and at ports of their own. The machine upgrades from there.
func TestProofRemoteURL(t *testing.T) {
	p := newProject(t)
	for name, url := range map[string]string{
		"led-https": "https://updates.example.org/os/stable/debian-repo-amd64",
		"led-http":  "http://192.0.2.7:8000/debian-repo-amd64",
	} {
		p.write("flavours/"+name+".hcl", `flavour "`+name+`" {
  description = "an image with a remote"
  extends     = "debian-testing-amd64-ostree"
  set "ostreeRepo" {
    remote_url = "`+url+`"
  }
}
`)
		results := filepath.Join(p.dir, name+".xml")
		out, code := p.treewright(nil, "--progress", "plain", "test", name, "--upgrade", "--junit", results)
		if code != 0 {
			t.Errorf("%s: exit %d:\n%s", name, code, out)
		}
		for _, point := range []string{"machine/remote", "upgrade/from-remote-url", "boot-health/newer-is-taken"} {
			if !strings.Contains(out, "  ok    "+point+" ") {
				t.Errorf("%s: %s is not passed", name, point)
			}
		}
		if text, err := os.ReadFile(results); err != nil || !strings.Contains(string(text), `<property name="remote_url" value="`+url+`">`) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
