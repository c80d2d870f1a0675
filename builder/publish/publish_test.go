package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// made is a run with one artifact of each kind, of a version.
type made struct {
	t      *testing.T
	store  *layer.Store
	output Output
	commit string // of the version before
	repo   string // the repository of the version before, "" at first
}

func newMade(t *testing.T, root string) *made {
	t.Helper()
	if _, err := exec.LookPath("ostree"); err != nil {
		treetest.Skip(t, "needs the program ostree")
	}
	store, err := layer.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return &made{t: t, store: store, output: OutputOf(root, "f")}
}

// version makes the results of a version: a repository with one more commit, a
// directory, a file of so many bytes that comes last.
func (m *made) version(name string, size int) *Finished {
	m.t.Helper()
	g := &plan.Graph{}
	artifact := func(name string, kind plan.ArtifactKind) []plan.Artifact {
		return []plan.Artifact{{Name: name, Path: name, Kind: kind}}
	}
	f := &Finished{Store: m.store, Graph: g, Manifest: &Manifest{Description: name}}
	for _, s := range []plan.Step{
		{ID: "commit/commit", Action: name, Output: plan.Dir, Artifacts: artifact("repo", plan.RepositoryArtifact)},
		{ID: "extension/x", Action: name, Output: plan.Dir, Artifacts: artifact("x", plan.DirArtifact)},
		{ID: "image/disk", Action: name, Output: plan.Dir, Artifacts: artifact("f.raw", plan.FileArtifact)},
	} {
		if err := g.Add(s); err != nil {
			m.t.Fatal(err)
		}
		draft, err := m.store.Begin(g.Key(s.ID))
		if err != nil {
			m.t.Fatal(err)
		}
		switch s.Artifacts[0].Name {
		case "repo":
			m.addCommit(filepath.Join(draft.Data, "repo"), name)
		case "x":
			treetest.WriteAll(m.t, draft.Data, map[string]string{"x/usr/lib/" + name: name, "x/usr/name": name})
		default:
			treetest.WriteAll(m.t, draft.Data, map[string]string{"f.raw": strings.Repeat(name[:1], size)})
		}
		treetest.WriteAll(m.t, filepath.Dir(draft.Log), map[string]string{filepath.Base(draft.Log): "log of " + name + "\n"})
		if err := draft.Commit(layer.Result{Step: s.ID}); err != nil {
			m.t.Fatal(err)
		}
	}
	m.repo = filepath.Join(m.store.Data(g.Key("commit/commit")), "repo")
	return f
}

func (m *made) addCommit(repo, name string) {
	m.t.Helper()
	tree := m.t.TempDir()
	treetest.WriteAll(m.t, tree, map[string]string{"usr/name": strings.Repeat(name, 5000)})
	ostree := func(args ...string) string {
		m.t.Helper()
		out, err := exec.Command("ostree", append([]string{"--repo=" + repo}, args...)...).CombinedOutput()
		if err != nil {
			m.t.Fatalf("ostree %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	ostree("init", "--mode=archive")
	args := []string{"commit", "--branch=b", "--tree=dir=" + tree, "--subject=" + name}
	if m.repo != "" {
		ostree("pull-local", m.repo)
		args = append(args, "--parent="+m.commit)
	}
	m.commit = ostree(args...)
	ostree("summary", "--update")
}

// seen is all that is published, and in the private directory.
func (m *made) seen() []string {
	m.t.Helper()
	return append(treetest.Listing(m.t, m.output.Public), treetest.Listing(m.t, m.output.Private)...)
}

func (m *made) publish(f *Finished) {
	m.t.Helper()
	if err := f.Publish(m.t.Context(), m.output); err != nil {
		m.t.Fatal(err)
	}
}

func (m *made) read(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.output.Public, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// withoutTimes are the lines of a listing without what trying and taking back
// may change: the times and link counts of directories, links of files.
func withoutTimes(lines []string) []string {
	var out []string
	for _, line := range lines {
		fields := strings.Fields(line)
		// A directory may be new, and the record of objects has their links.
		if strings.HasPrefix(fields[1], "4") || strings.HasSuffix(fields[0], ".objects") {
			continue
		}
		out = append(out, fields[0]+" "+fields[1]+" "+fields[2]+" "+strings.Join(fields[5:], " "))
	}
	return out
}

func (m *made) isVersion(name string) {
	m.t.Helper()
	back, err := ReadManifest(m.output)
	if err != nil || back.Description != name {
		m.t.Errorf("the manifest is of %q, error %v; want %s", back.Description, err, name)
	}
	if got := m.read("x/usr/name"); got != name {
		m.t.Errorf("the directory is of %q, want %s", got, name)
	}
	if got := m.read("f.raw"); !strings.HasPrefix(got, name[:1]) {
		m.t.Errorf("the file begins with %.5q, want %s's", got, name)
	}
	for _, line := range m.seen() {
		if strings.HasPrefix(line, ".") && strings.Contains(line, ".new") {
			m.t.Errorf("left: %s", line)
		}
	}
}

// TestFailedPublication: if anything cannot be staged, nothing is published.
func TestFailedPublication(t *testing.T) {
	m := newMade(t, t.TempDir())
	one := m.version("one", 10)
	m.publish(one)
	m.isVersion("one")
	before, head := m.seen(), m.read("repo/refs/heads/b")

	two := m.version("two", 10)
	// The last artifact is gone.
	file := filepath.Join(m.store.Data(two.Graph.Key("image/disk")), "f.raw")
	if err := os.Rename(file, file+"-"); err != nil {
		t.Fatal(err)
	}
	if err := two.Publish(t.Context(), m.output); err == nil || !strings.HasPrefix(err.Error(), "publish f.raw: open "+file+": no such file") {
		t.Errorf("error %v", err)
	}
	if got, want := withoutTimes(m.seen()), withoutTimes(before); !slices.Equal(got, want) {
		t.Errorf("a failed build changed what is published:\n%s\nit was\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := m.read("repo/refs/heads/b"); got != head {
		t.Errorf("the head is %s, was %s", got, head)
	}
	m.isVersion("one")

	// What an interrupted build left is swept.
	treetest.WriteAll(t, m.output.Public, map[string]string{".f.raw.new": "torn", ".x.new/usr/torn": "", ".SHA256SUMS.new-123": ""})
	treetest.WriteAll(t, m.output.Private, map[string]string{".manifest.json.new": "torn"})
	if err := os.Rename(file+"-", file); err != nil {
		t.Fatal(err)
	}
	two.Manifest = &Manifest{Description: "two"}
	m.publish(two)
	m.isVersion("two")
	if got := m.read("repo/refs/heads/b"); got == head || got != m.commit {
		t.Errorf("the head is %s, want %s", got, m.commit)
	}

	// Publishing the same once more touches nothing.
	before = m.seen()
	two.Manifest = &Manifest{Description: "two"}
	m.publish(two)
	if got := m.seen(); !slices.Equal(got, before) {
		t.Errorf("publishing again changed\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(got, "\n"))
	}
}

// TestRootFullOutput: on a full disk nothing changes, wherever the space ends.
func TestRootFullOutput(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it mounts a file system; run it as CI does, sudo make test")
	}
	root := t.TempDir()
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(root, unix.MNT_DETACH)
	m := newMade(t, root)
	m.publish(m.version("one", 1000))
	m.isVersion("one")
	head := m.read("repo/refs/heads/b")
	filler := filepath.Join(root, "filler")
	two := m.version("two", 300<<10)
	failed := 0
	for left := 0; left <= 800; left += 8 {
		var st unix.Statfs_t
		if err := unix.Statfs(root, &st); err != nil {
			t.Fatal(err)
		}
		if free := int(st.Bavail)*int(st.Bsize) - left<<10; free > 0 {
			if err := os.WriteFile(filler, make([]byte, free), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		before := withoutTimes(m.seen())
		two.Manifest = &Manifest{Description: "two"}
		err := two.Publish(t.Context(), m.output)
		if err == nil {
			m.isVersion("two")
			if got := m.read("repo/refs/heads/b"); got != m.commit {
				t.Errorf("the head is %s, want %s", got, m.commit)
			}
			if failed < 10 {
				t.Errorf("only %d attempts failed", failed)
			}
			return
		}
		failed++
		if !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "--output") {
			t.Errorf("with %d KiB left: error %v", left, err)
		}
		if got := withoutTimes(m.seen()); !slices.Equal(got, before) {
			t.Fatalf("with %d KiB left a failed build changed\n%s\nto\n%s", left, strings.Join(before, "\n"), strings.Join(got, "\n"))
		}
		if got := m.read("repo/refs/heads/b"); got != head {
			t.Fatalf("with %d KiB left the head is %s, was %s", left, got, head)
		}
		m.isVersion("one")
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("there was never enough space")
}
