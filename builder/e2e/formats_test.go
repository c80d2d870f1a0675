//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

// formats publishes the image of a project that was built in another format as
// well, then in that one alone, and at last as it was.
func formats(t *testing.T, p *project, first manifest) {
	asked := func(list string) manifest {
		t.Helper()
		p.write("flavours/e2e.hcl", strings.Replace(flavourFile, "free_space_mib = 256", "free_space_mib = 256\n    formats = "+list, 1))
		m := p.build()
		if m.Commit != first.Commit {
			t.Errorf("formats %s made the commit %s, not %s", list, m.Commit, first.Commit)
		}
		if got, want := hashOf(t, p.output("e2e.qcow2")), m.sums()["e2e.qcow2"]; got != want {
			t.Errorf("formats %s: e2e.qcow2 has SHA-256 %s, the manifest says %s", list, got, want)
		}
		return m
	}
	const own = "packages/image-qcow2-tools tools/install-image-qcow2-tools image/qcow2"
	both := asked(`["raw", "qcow2"]`)
	if got := strings.Join(both.ran(), " "); got != own {
		t.Errorf("one more format made these steps run: %s; want %s", got, own)
	}
	if both.sums()["e2e.raw"] != first.sums()["e2e.raw"] {
		t.Error("with qcow2 the raw image is another one")
	}

	// The same bytes by one processor, and of a disk without holes.
	script := `cd /treewright/scratch
disk=/treewright/in/disk/e2e.raw
cp --sparse=never $disk full.raw
taskset -c 0 qemu-img convert -f raw -O qcow2 -c full.raw again.qcow2
qemu-img check again.qcow2
qemu-img compare -f raw -F qcow2 $disk again.qcow2
echo "` + both.sums()["e2e.qcow2"] + `  again.qcow2" | sha256sum --check
echo all-is-well
`
	out, code := p.treewright(strings.NewReader("set -eux\n"+script), "--progress", "plain", "shell", flavourName, "image/qcow2")
	for _, want := range []string{"No errors were found on the image.", "Images are identical.", "again.qcow2: OK", "all-is-well"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, and not %q:\n%s", code, want, out)
		}
	}

	alone := asked(`["qcow2"]`)
	if got := strings.Join(alone.ran(), " "); got != "image/disk image/qcow2" {
		t.Errorf("without raw these steps ran: %s", got)
	}
	if alone.sums()["e2e.qcow2"] != both.sums()["e2e.qcow2"] {
		t.Error("of the same disk, made again, there is another qcow2 image")
	}
	if _, err := os.Lstat(p.output("e2e.raw")); !os.IsNotExist(err) || alone.sums()["e2e.raw"] != "" {
		t.Errorf("without raw there still is e2e.raw (%v)", err)
	}
	onlyArtifacts(t, p, alone)

	p.write("flavours/e2e.hcl", flavourFile)
	if last := p.build(); len(last.ran()) != 0 || last.sums()["e2e.raw"] != first.sums()["e2e.raw"] {
		t.Errorf("back to raw, these steps ran: %v", last.ran())
	}
	if _, err := os.Lstat(p.output("e2e.qcow2")); !os.IsNotExist(err) {
		t.Errorf("without qcow2 there still is e2e.qcow2 (%v)", err)
	}
}
