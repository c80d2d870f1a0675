//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// TestVerify: when a flavour is built again elsewhere, scripts whose results depend on the
// machine are found, with step, feature and what they depend on, and nothing else differs.
// A flavour without such scripts is in .ci/run.
func TestVerify(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	first := p.build()
	for name, content := range map[string]string{
		"cores/info.yaml": "type: element\n", "cores/exec.config": "#!/bin/bash\nset -euo pipefail\nnproc >/usr/share/cores\n",
		"sysext-dated/info.yaml": "type: extension\n", "sysext-dated/exec.build": "#!/bin/bash\nset -euo pipefail\nmkdir -p \"$1/usr/share\"\ndate +%B >\"$1/usr/share/month\"\n",
	} {
		p.write("features/"+name, content)
	}
	p.chmod("features/cores/exec.config")
	p.chmod("features/sysext-dated/exec.build")
	p.write("flavours/e2e.hcl", strings.Replace(minimal, `features = [`, `features = ["cores", "sysext-dated", `, 1))
	out, code := p.treewright(nil, "verify", p.flavour)
	for _, want := range []string{"DIFFERS  small-repo-amd64", "same     e2e.spdx.json", "It begins with step rootfs/exec.config/cores", "feature cores, features/cores/exec.config", "/usr/share/cores", "another number of processors",
		"feature sysext-dated, features/sysext-dated/exec.build", "/usr/share/month", "at another time"} {
		if code != 5 || !strings.Contains(out, want) {
			t.Errorf("exit %d, without %q:\n%s", code, want, out)
		}
	}
	if n := strings.Count(out, "It begins with step"); n != 2 {
		t.Errorf("%d steps differ:\n%s", n, out)
	}
	if again := p.manifest(); again.Commit != first.Commit {
		t.Errorf("verify published the commit %s", again.Commit)
	}
}
