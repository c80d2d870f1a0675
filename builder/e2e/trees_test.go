//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// tree is a copy of one of testdata/trees, each of which shows one rule of the
// Garden Linux builder. They share a cache.
func tree(t *testing.T, cache, name string) *project {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("building needs root")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, root: root, dir: t.TempDir(), cache: cache}
	// With modes, which os.CopyFS does not keep.
	if out, err := exec.Command("cp", "-a", "testdata/trees/"+name+"/.", p.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// target builds a cname and returns what its artifacts are called, without the
// extension.
func (p *project) target(cname string, options ...string) string {
	p.t.Helper()
	args := append([]string{"--progress", "plain", "--mirror", "http://deb.debian.org/debian"}, options...)
	if out, code := p.treewright(nil, append(args, cname)...); code != 0 {
		p.t.Fatalf("exit %d:\n%s", code, out)
	}
	list, err := os.Readlink(filepath.Join(p.dir, ".build", cname))
	if err != nil {
		p.t.Fatal(err)
	}
	return filepath.Join(p.dir, ".build", strings.TrimSuffix(list, ".artifacts"))
}

func (p *project) read(path string) string {
	p.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *project) want(what, got, want string) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("%s is\n%s\nand should be\n%s", what, got, want)
	}
}

// entry is a file of a tarball.
type entry struct {
	*tar.Header
	content string
}

func untar(t *testing.T, path string) map[string]entry {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found := map[string]entry{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		e := entry{Header: h}
		if h.Size < 1<<16 {
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			e.content = string(content)
		}
		found[strings.TrimSuffix(h.Name, "/")] = e
	}
}

func TestTrees(t *testing.T) {
	t.Parallel()
	cache := filepath.Join(t.TempDir(), "cache")
	t.Run("phases", func(t *testing.T) { testPhases(t, tree(t, cache, "phases")) })
	t.Run("packages", func(t *testing.T) { testPackages(t, tree(t, cache, "packages")) })
	t.Run("files", func(t *testing.T) { testFiles(t, tree(t, cache, "files")) })
	t.Run("chain", func(t *testing.T) { testChain(t, tree(t, cache, "chain")) })
	t.Run("layout", func(t *testing.T) { testLayout(t, tree(t, cache, "layout")) })
	t.Run("helpers", func(t *testing.T) { testHelpers(t, tree(t, cache, "chain")) })
	t.Run("boots", func(t *testing.T) { testBoots(t, tree(t, cache, "boots")) })
}

func testPhases(t *testing.T, p *project) {
	base := p.target("second")
	p.want("the base name", filepath.Base(base), "second-amd64-testing-01234567")
	files := untar(t, base+".tar")
	p.want("the order of phases", files["order"].content, `first early
second early
first config
second config
first late
second late
first post /builder 1G
second post /builder 1G
`)
	p.want("what a script saw of a feature that is not selected, and of an earlier script", files["seen"].content, "a feature that is not selected\nkept in /tmp\n")
	p.want("what a script is told", files["told"].content, `BUILDER_ARCH=amd64
BUILDER_CNAME=second-amd64-testing
BUILDER_CNAME_BASE=second
BUILDER_COMMIT=0123456789abcdef0123456789abcdef01234567
BUILDER_FEATURES=first,second
BUILDER_FEATURES_ELEMENTS=first
BUILDER_FEATURES_FLAGS=
BUILDER_FEATURES_PLATFORMS=second
BUILDER_TIMESTAMP=1700000000
BUILDER_VERSION=testing
`)
	if _, there := files["builder"]; there {
		t.Error("/builder is still there")
	}
	if at := files["order"].ModTime.Unix(); at != 1700000000 {
		t.Errorf("files are from %d", at)
	}
	names := "tar release manifest sbom requirements copy"
	var list strings.Builder
	for _, ext := range strings.Fields(names) {
		fmt.Fprintf(&list, "%s.%s\n%s.%s.log\n", filepath.Base(base), ext, filepath.Base(base), ext)
		if log := p.read(base + "." + ext + ".log"); ext != "requirements" && ext != "release" && log == "" {
			t.Errorf("the log of .%s is empty", ext)
		}
	}
	p.want("the list of artifacts", p.read(base+".artifacts"), list.String())
	if p.read(base+".copy") != p.read(base+".tar") {
		t.Error("the script was given another tarball")
	}
	if out, code := p.treewright(nil, "--resolve-cname", "second"); code != 0 || strings.TrimSpace(out) != filepath.Base(base) {
		t.Errorf("--resolve-cname: exit %d, %s", code, out)
	}
	// Another commit makes neither packages nor bootstrap again.
	p.write("get_commit", "#!/bin/sh\necho another\n")
	if err := os.Chmod(filepath.Join(p.dir, "get_commit"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, code := p.treewright(nil, "--progress", "plain", "--mirror", "http://deb.debian.org/debian", "second")
	if code != 0 || strings.Contains(out, "exec.early/first  run") || !strings.Contains(out, "exec.config/first  run") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

func testPackages(t *testing.T, p *project) {
	base := p.target("a-amd64-testing")
	got := strings.Fields(p.read(base + ".list"))
	has := func(name string) bool { return strings.Contains(" "+strings.Join(got, " ")+" ", " "+name+" ") }
	for name, want := range map[string]bool{"hello": true, "cowsay": false, "figlet": false, "less": true, "ed": true, "sl": false, "ca-certificates": true} {
		if has(name) != want {
			t.Errorf("%s installed: %v", name, has(name))
		}
	}
	manifest := p.read(base + ".manifest")
	if lines := strings.Count(manifest, "\n"); lines != len(got) || !strings.Contains("\n"+manifest, "\nhello ") {
		t.Errorf("the manifest has %d packages, the tree %d:\n%s", lines, len(got), manifest)
	}
	for _, part := range []string{`"bomFormat": "CycloneDX"`, `"name": "hello"`, `"value": "a-amd64-testing"`} {
		if !strings.Contains(p.read(base+".sbom"), part) {
			t.Errorf("the sbom lacks %s", part)
		}
	}
	if !strings.Contains(p.read(base+".release"), "ID=debian") {
		t.Errorf("the release is %q", p.read(base+".release"))
	}
	// A package that is not there, and a line that no shell expands.
	p.write("features/b/pkg.include", "ed\nhellow\nlib$unset\n")
	out, code := p.treewright(nil, "a")
	if code != 3 || !strings.Contains(out, "features/b/pkg.include line 3") || !strings.Contains(out, "unbound variable") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	p.write("features/b/pkg.include", "ed\nhellow\n")
	out, code = p.treewright(nil, "a")
	if code != 3 || !strings.Contains(out, "features/b/pkg.include line 2") || !strings.Contains(out, `"hello"`) {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

func testFiles(t *testing.T, p *project) {
	base := p.target("a")
	files := untar(t, base+".tar")
	p.want("what the later feature brings", files["etc/both"].content, "from a\n")
	for name, want := range map[string]string{
		"etc/both": "644 0:0", "etc/private": "640 0:42", "usr/local/bin/tool": "755 0:0", "root/.profile": "644 0:0", "srv/new/deep/keep": "644 0:0",
		"root": "700 0:0", "tmp": "1777 0:0", "srv/new": "755 0:0",
	} {
		e, there := files[name]
		if !there {
			t.Errorf("there is no %s", name)
			continue
		}
		p.want(name, fmt.Sprintf("%o %d:%d", e.Mode, e.Uid, e.Gid), want)
	}
	for _, name := range []string{"tmp/gone", "srv/new/drop.tmp", "srv/new/deep/drop.tmp"} {
		if _, there := files[name]; there {
			t.Errorf("%s is there", name)
		}
	}
}

func testChain(t *testing.T, p *project) {
	base := p.target("a")
	name := filepath.Base(base)
	p.want("the chain's end", p.read(base+".last"), "last of:\nsecond of:\nfirst of "+name+".tar\n")
	p.want("a script in place of what is built in", p.read(base+".release"), "a release of its own\n")
	p.want("what image makes", p.read(base+".raw"), "a disk")
	p.want("requirements", p.read(base+".requirements"), "arch=amd64\nempty=\nname=a\ntpm=true\n")
	if list := p.read(base + ".artifacts"); strings.Contains(list, ".raw\n") || !strings.Contains(list, name+".gz\n") {
		t.Errorf("listed are\n%s", list)
	}
	// Nothing runs twice.
	if out, code := p.treewright(nil, "--progress", "plain", "--mirror", "http://deb.debian.org/debian", "a"); code != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	p.write("features/b/image.last", "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(p.dir, "features/b/image.last"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, code := p.treewright(nil, "a"); code != 3 || !strings.Contains(out, "Two scripts for one artifact") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// uuidOf is how the Garden Linux builder derives identifiers (uuid_hash).
func uuidOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	h := hex.EncodeToString(sum[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

// gptPartition is an entry of a partition table (UEFI 5.3).
type gptPartition struct {
	kind, id, name string
	start, size    int64 // bytes
}

func partitionsOf(t *testing.T, image string) []gptPartition {
	t.Helper()
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := make([]byte, 128*128)
	if _, err := f.ReadAt(table, 1024); err != nil {
		t.Fatal(err)
	}
	guid := func(b []byte) string {
		return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:16])
	}
	var parts []gptPartition
	for e := table; len(e) > 0 && !bytes.Equal(e[:16], make([]byte, 16)); e = e[128:] {
		first, last := int64(binary.LittleEndian.Uint64(e[32:])), int64(binary.LittleEndian.Uint64(e[40:]))
		var name []uint16
		for i := 56; i < 128 && (e[i] != 0 || e[i+1] != 0); i += 2 {
			name = append(name, binary.LittleEndian.Uint16(e[i:]))
		}
		parts = append(parts, gptPartition{guid(e), guid(e[16:]), string(utf16.Decode(name)), first * 512, (last - first + 1) * 512})
	}
	return parts
}

func testLayout(t *testing.T, p *project) {
	base := p.target("a")
	var got []string
	parts := partitionsOf(t, base+".raw")
	for _, part := range parts {
		got = append(got, part.name+" "+part.kind+" "+part.id)
	}
	const linux, esp, root = "0fc63daf-8483-4772-8e79-3d69d8477de4", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
	line := func(name, kind string) string {
		return name + " " + kind + " " + uuidOf("gardenlinux:testing:part_uuid:LABEL="+name+"\n")
	}
	// The deepest first, the final one last.
	p.want("the partition table", strings.Join(got, "\n"), strings.Join([]string{line("DATA", linux), line("EFI", esp), line("ROOT", root)}, "\n"))
	if len(parts) != 3 {
		return
	}
	// The Garden Linux builder rounds up to the next MiB, from a whole one too.
	for i, mib := range []int64{33, 65} {
		if parts[i].size != mib<<20 {
			t.Errorf("%s has %d bytes, not %d MiB", parts[i].name, parts[i].size, mib)
		}
	}
	debugfs := func(part gptPartition, request string) string {
		out, err := exec.Command("/sbin/debugfs", "-R", request, fmt.Sprintf("%s.raw?offset=%d", base, part.start)).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	p.want("the system's fstab", strings.Join(strings.Fields(debugfs(parts[2], "cat /etc/fstab")), " "),
		"LABEL=ROOT / ext4 rw,x-systemd.growfs 0 2 LABEL=EFI /efi vfat umask=0077 0 2 LABEL=DATA /srv/data ext4 rw,nosuid,nodev 0 2")
	p.want("what is on DATA", debugfs(parts[0], "cat /hello"), "hello\n")
	if list := debugfs(parts[2], "ls -p /srv/data"); strings.Contains(list, "hello") {
		t.Error("what is on DATA is on ROOT as well")
	}
	if stats := debugfs(parts[2], "stats"); !strings.Contains(stats, uuidOf("gardenlinux:testing:partition:/:ext4:uuid")) {
		t.Errorf("the root's UUID is not the Garden Linux builder's:\n%.400s", stats)
	}
	// The same bytes, from nothing, elsewhere, one step at a time.
	again := tree(t, filepath.Join(t.TempDir(), "cache"), "layout")
	other := again.target("a", "--jobs", "1")
	for _, ext := range []string{"tar", "raw", "manifest", "sbom", "release", "requirements"} {
		if hashOf(t, base+"."+ext) != hashOf(t, other+"."+ext) {
			t.Errorf(".%s differs when it is made a second time", ext)
		}
	}
}

// testHelpers runs the unit tests of the helper programs as an image script,
// among the tools: there is all that some of them lack on other machines.
func testHelpers(t *testing.T, p *project) {
	const feature = "features/a/"
	compile := exec.Command("go", "test", "-c", "-tags", "amongtools", "-o", filepath.Join(p.dir, feature, "helpers.test"), "./builder/gardenlinux/imagetool")
	compile.Dir, compile.Env = p.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := feature + "image.tested"
	p.write(script, "#!/bin/sh\nset -eu\n/builder/"+feature+"helpers.test -test.v > \"$2\" 2>&1 || { grep -B3 -A3 -e '--- FAIL' \"$2\"; exit 1; }\n")
	if err := os.Chmod(filepath.Join(p.dir, script), 0o755); err != nil {
		t.Fatal(err)
	}
	said := p.read(p.target("a") + ".tested")
	if strings.Contains(said, "--- SKIP") || !strings.Contains(said, "--- PASS: TestDiskIsReproducible") {
		t.Errorf("not all tests ran:\n%s", said)
	}
}

// testBoots lets a machine start from the image; slow where it is emulated.
func testBoots(t *testing.T, p *project) {
	out, code := p.treewright(nil, "test", "--mirror", "http://deb.debian.org/debian", "tiny-amd64-testing")
	t.Log(out)
	if code != 0 || !strings.Contains(out, "0 failed") {
		t.Fatalf("exit %d", code)
	}
	if _, err := os.Stat(filepath.Join(p.dir, ".build/.private/.targets", "tiny-amd64-testing", "test", "machine")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the machine's files are left")
	}
}
