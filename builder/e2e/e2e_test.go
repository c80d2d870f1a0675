//go:build e2e

package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/bom/bomtest"
)

// flavourName is a small flavour that has every kind of stage. Its extension
// compiles a program.
const flavourName = "e2e"

const flavourFile = `flavour "e2e" {
  description = "everything small: one image, one extension"
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian"
  }
  features = ["base", "ostreeRepo", "ostreeImage", "sysext-hello"]
  set "ostreeRepo" {
    os_name    = "small"
    deltas     = 2
    remote_url = "http://10.0.2.2:8080/small-repo-amd64"
  }
  set "ostreeImage" {
    free_space_mib = 256
  }
}
`

// TestLife follows one flavour from the first build on.
func TestLife(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	trace := filepath.Join(t.TempDir(), "trace.json")
	first := p.build("--trace", trace)
	hasCommands(t, trace)
	if first.Commit == "" || first.Parent != "" {
		t.Fatalf("first commit %q, parent %q", first.Commit, first.Parent)
	}
	if len(first.ran()) != len(first.Steps) {
		t.Errorf("with an empty cache only %d of %d steps ran", len(first.ran()), len(first.Steps))
	}
	want := map[string]string{
		"small-repo-amd64": "repository", "ostree-small-repo-amd64.tar.gz": "file", "e2e.raw": "file", "hello.raw": "file", "hello": "directory",
		"e2e.spdx.json": "file", "e2e.cdx.json": "file", "hello.spdx.json": "file", "hello.cdx.json": "file",
	}
	for _, a := range first.Artifacts {
		if want[a.Name] != a.Kind {
			t.Errorf("unexpected artifact %s of kind %s", a.Name, a.Kind)
		}
		delete(want, a.Name)
		if a.Kind == "file" {
			if got := hashOf(t, p.output(a.Name)); got != a.SHA256 {
				t.Errorf("%s has SHA-256 %s, the manifest says %s", a.Name, got, a.SHA256)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no artifact %v", want)
	}
	onlyArtifacts(t, p, first)
	for _, name := range []string{"e2e", "hello"} {
		for suffix, schema := range map[string]string{".spdx.json": bomtest.SPDX, ".cdx.json": bomtest.CycloneDX} {
			document, err := os.ReadFile(p.output(name + suffix))
			if err == nil {
				err = bomtest.Check(t, schema, document)
			}
			if err != nil {
				t.Errorf("%s%s: %v", name, suffix, err)
			}
		}
	}

	t.Run("same bytes", func(t *testing.T) { sameBytes(t, first) })

	t.Run("repository", func(t *testing.T) {
		p.t = t
		out := p.inTools(`repo=--repo=/treewright/in/repo/repo
ostree $repo fsck
ostree $repo log small 2>/dev/null || ostree $repo log debian/testing/amd64
ostree $repo show --print-metadata-key=version debian/testing/amd64
ostree $repo show --print-metadata-key=treewright.packages debian/testing/amd64 | grep -c systemd
ostree $repo ls debian/testing/amd64 /usr/etc/passwd /usr/lib/sysimage/dpkg/status
echo all-is-well
`)
		if !strings.Contains(out, "commit "+first.Commit) {
			t.Errorf("ostree log does not name %s:\n%s", first.Commit, out)
		}
	})
	p.t = t

	t.Run("image", func(t *testing.T) {
		p.t = t
		image := checkImage(t, p.output("e2e.raw"))
		if image.entries != 2 {
			t.Errorf("the image has %d partitions, not an ESP and a root", image.entries)
		}
	})
	p.t = t

	t.Run("formats", func(t *testing.T) {
		p.t = t
		formats(t, p, first)
	})
	p.t = t

	if again := p.build(); len(again.ran()) != 0 {
		t.Errorf("without a change these steps ran: %v", again.ran())
	} else if again.Commit != first.Commit {
		t.Errorf("without a change there is another commit: %s after %s", again.Commit, first.Commit)
	}

	p.write("features/base/file.include/usr/share/e2e", "two\n")
	second := p.build()
	if deltas, err := filepath.Glob(p.output("small-repo-amd64/deltas/*/*/superblock")); err != nil || len(deltas) != 1 {
		t.Errorf("the second commit has the static deltas %v, error %v", deltas, err)
	}
	if out, code := p.treewright(nil, "budget", flavourName); code != 0 || !strings.Contains(out, " with the static delta,\n") {
		t.Errorf("budget: exit %d:\n%s", code, out)
	}
	for name, sum := range second.sums() {
		if got := hashOf(t, p.output(name)); got != sum {
			t.Errorf("after a change %s has SHA-256 %s, the manifest says %s", name, got, sum)
		}
	}
	if second.Parent != first.Commit || second.Commit == first.Commit {
		t.Errorf("after a change the commit is %s with parent %s; want a new one after %s", second.Commit, second.Parent, first.Commit)
	}
	for _, id := range second.ran() {
		if strings.HasPrefix(id, "packages/") || strings.Contains(id, "install") || strings.Contains(id, "bootstrap") {
			t.Errorf("a changed file made %s run again", id)
		}
		if id == "commit/initramfs" {
			t.Error("dracut ran again after a change of a file that it does not look at")
		}
	}
	if out, code := p.treewright(strings.NewReader("test -e /etc/os-release && exit 9\n"), "--progress", "plain", "shell", p.flavour); code != 9 {
		t.Errorf("the shell was left with 9, but the exit code is %d:\n%s", code, out)
	}
	out := p.inTools("ostree --repo=/treewright/in/repo/repo log debian/testing/amd64 | grep -c ^commit\necho all-is-well\n")
	if !strings.Contains(out, "\n2\n") {
		t.Errorf("the history does not have two commits:\n%s", out)
	}

	failures(t, p, second)
}

// failures breaks things in a project that was built, and sees that nothing is
// lost.
func failures(t *testing.T, p *project, last manifest) {
	expect := func(name string, code int, wants ...string) {
		t.Helper()
		out, got := p.treewright(nil, "--progress", "plain", flavourName)
		if got != code {
			t.Errorf("%s: exit %d, not %d:\n%s", name, got, code, out)
		}
		for _, w := range wants {
			if !strings.Contains(out, w) {
				t.Errorf("%s: the output does not say %q:\n%s", name, w, out)
			}
		}
		if now := p.manifest(); now.Commit != last.Commit {
			t.Errorf("%s: the commit changed", name)
		}
	}
	base, err := os.ReadFile(filepath.Join(p.dir, "features/base/pkg.include"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("features/base/pkg.include", string(base)+"sudoo\n")
	expect("unknown package", 3, "features/base/pkg.include line", `no package "sudoo"`, `Did you mean "sudo`)
	p.write("features/base/pkg.include", string(base))

	late := filepath.Join(p.dir, "features/base/exec.late")
	p.write("features/base/exec.late", "#!/bin/bash\necho some words of wisdom\nexit 7\n")
	if err := os.Chmod(late, 0o755); err != nil {
		t.Fatal(err)
	}
	expect("failing script", 1, "some words of wisdom", "exit status 7", "./build -C "+p.dir+" shell e2e rootfs/exec.late/base")
	if err := os.Remove(late); err != nil {
		t.Fatal(err)
	}

	p.write("flavours/e2e.hcl", strings.Replace(flavourFile, "deb.debian.org", "127.0.0.1:9", 1))
	expect("mirror unreachable", 1, "http://127.0.0.1:9/debian", "onnect", "try 6 of 7 failed", "again in 32s")
	p.write("flavours/e2e.hcl", flavourFile)

	p.write("features/base/file.include/usr/share/e2e", "three\n")
	third := p.build("--no-shortcuts")
	if third.Parent != last.Commit {
		t.Errorf("after mending, the commit is %s with parent %s", third.Commit, third.Parent)
	}
	if !slices.Contains(third.ran(), "commit/initramfs") {
		t.Errorf("with --no-shortcuts these steps ran: %v", third.ran())
	}
	p.inTools(`objects() { ostree --repo=/treewright/in/repo/repo ls -RC "$1" /usr/lib/modules | grep initramfs.img; }
test "$(objects debian/testing/amd64)" = "$(objects debian/testing/amd64^)"
echo all-is-well
`)

	// bsdiff of another initramfs takes minutes.
	p.write("flavours/e2e.hcl", strings.Replace(flavourFile, "deltas     = 2", "deltas     = 0", 1))
	p.write("features/base/file.include/usr/lib/modprobe.d/e2e.conf", "# dracut copies it\n")
	if fourth := p.build(); !slices.Contains(fourth.ran(), "commit/initramfs") {
		t.Errorf("after a change of what dracut looks at these steps ran: %v", fourth.ran())
	}
	if left, err := os.ReadDir(filepath.Join(p.cache, "store/drafts")); err != nil || len(left) > 0 {
		t.Errorf("half-made results: %v %v", left, err)
	}
}

// sameBytes builds once more from nothing, in another place, with another
// number of workers and by a caller with a umask, a group and an environment of
// their own: all files must be the same, and for everybody to read.
func sameBytes(t *testing.T, first manifest) {
	other := newProject(t)
	other.odd = true
	if out, code := other.treewright(nil, "--progress", "plain", "--jobs", "1", flavourName); code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	second := other.manifest()
	if first.Commit != second.Commit {
		t.Errorf("commits differ: %s and %s", first.Commit, second.Commit)
	}
	if len(first.sums()) == 0 {
		t.Error("there is nothing to compare")
	}
	for name, sum := range first.sums() {
		if got := second.sums()[name]; got != sum {
			t.Errorf("%s differs: %s and %s", name, sum, got)
		}
	}
	err := filepath.WalkDir(filepath.Join(other.dir, ".build"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.Name() == ".private" {
			if info.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %v: it is for its owner only", path, info.Mode())
			}
			return fs.SkipDir
		}
		if want := os.FileMode(0o444); info.Mode()&want != want || d.IsDir() && info.Mode().Perm() != 0o755 {
			t.Errorf("%s has mode %v: not everybody can read what was built", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// hasCommands expects a trace with commands of steps that used processors, and bytes.
func hasCommands(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type traceEvent struct {
		Name, Cat string
		Dur       float64
		Args      struct {
			Argv    []string
			Status  *int
			User    float64 `json:"user_ms"`
			Read    int64   `json:"read_bytes"`
			Written int64   `json:"written_bytes"`
			Peak    int64   `json:"peak_memory_bytes"`
		}
	}
	var trace struct{ TraceEvents []traceEvent }
	if err := json.Unmarshal(raw, &trace); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, e := range trace.TraceEvents {
		a := e.Args
		if e.Cat == "command" && len(a.Argv) > 0 && a.Status != nil && *a.Status == 0 && e.Dur > 0 && a.User > 0 && a.Read > 0 && a.Written > 0 && a.Peak > 0 {
			found[e.Name] = true
		}
	}
	for _, want := range []string{"mmdebstrap", "apt-get", "dracut", "ostree", "mke2fs"} {
		if !found[want] {
			t.Errorf("the trace has no %s that used anything, only %v", want, found)
		}
	}
}

// onlyArtifacts: any web server may hand the public directory out.
func onlyArtifacts(t *testing.T, p *project, m manifest) {
	t.Helper()
	known := map[string]bool{"SHA256SUMS": true}
	for _, a := range m.Artifacts {
		known[a.Name] = true
	}
	entries, err := os.ReadDir(p.output(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("%s is in the public directory but is not an artifact", e.Name())
		}
	}
	for _, name := range []string{"manifest.json", "logs"} {
		if _, err := os.Stat(p.private(name)); err != nil {
			t.Error(err)
		}
	}
}

type diskImage struct{ entries int }

// checkImage reads the image's GPT (UEFI specification, 5.3).
func checkImage(t *testing.T, path string) diskImage {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := make([]byte, 34*512)
	if _, err := io.ReadFull(f, table); err != nil {
		t.Fatal(err)
	}
	if string(table[512:520]) != "EFI PART" {
		t.Fatalf("%s has no GPT", path)
	}
	var image diskImage
	for i := range 128 {
		entry := table[1024+i*128:]
		if kind := hex.EncodeToString(entry[:16]); strings.Trim(kind, "0") != "" {
			image.entries++
			if want := partitionTypes[min(i, 1)]; kind != want {
				t.Errorf("partition %d has type %s, not %s", i+1, kind, want)
			}
		}
	}
	return image
}

// partitionTypes are the type GUIDs as they are on the disk: the EFI system
// partition's, and that of a root for x86-64 (Discoverable Partitions
// Specification).
var partitionTypes = []string{
	guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
	guid("4f68bce3-e8cd-4db1-96e7-fbcaf984b709"),
}

// guid writes a GUID as it is on a disk: the first three parts little-endian.
func guid(s string) string {
	p := strings.Split(s, "-")
	swap := func(h string) string {
		out := ""
		for i := len(h); i > 0; i -= 2 {
			out += h[i-2 : i]
		}
		return out
	}
	return fmt.Sprint(swap(p[0]), swap(p[1]), swap(p[2]), p[3], p[4])
}
