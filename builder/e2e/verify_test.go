//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerify: a flavour is the same when it is built again elsewhere; a script whose result
// depends on the machine is found, with its step, its feature and what it depends on.
func TestVerify(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	first := p.build()
	out, code := p.treewright(nil, "verify", p.flavour)
	for _, want := range []string{"same     small-repo-amd64", "same     SHA256SUMS", " artifacts are the same, bit by bit"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, without %q:\n%s", code, want, out)
		}
	}
	if again := p.manifest(); again.Commit != first.Commit {
		t.Errorf("verify published the commit %s", again.Commit)
	}
	p.write("features/cores/info.yaml", "type: element\n")
	p.write("features/cores/exec.config", "#!/bin/bash\nset -euo pipefail\nnproc >/usr/share/cores\n")
	if err := os.Chmod(filepath.Join(p.dir, "features/cores/exec.config"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("flavours/e2e.hcl", strings.Replace(minimal, `features = [`, `features = ["cores", `, 1))
	out, code = p.treewright(nil, "verify", p.flavour)
	for _, want := range []string{"DIFFERS  small-repo-amd64", "It begins with step rootfs/exec.config/cores", "feature cores, features/cores/exec.config", "/usr/share/cores", "another number of processors"} {
		if code != 5 || !strings.Contains(out, want) {
			t.Errorf("exit %d, without %q:\n%s", code, want, out)
		}
	}
}
