package used

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/treetest"
)

// opener opens trees for one in a new directory, and notes what it fetches.
func opener(t *testing.T, offline bool) (*Opener, *[]string) {
	var said []string
	return &Opener{Dir: t.TempDir(), Cache: filepath.Join(t.TempDir(), "git"), Offline: offline, Held: &layer.Holds{}, Say: func(line string) { said = append(said, line) }}, &said
}

// repository is a git repository with two commits, of which it returns the first.
func repository(t *testing.T) (dir, first string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		treetest.Skip(t, "needs git")
	}
	dir = treetest.Lay(t, t.TempDir(), "trees/a/features/x/info.yaml", "trees/a/features/x/exec.config@0755", "trees/a/features/x/link -> info.yaml", "text",
		"trees/out -> /", "trees/up -> ../..", "trees/round -> a")
	treetest.Write(t, filepath.Join(dir, ".gitattributes"), "text eol=crlf\n")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	first = git("rev-parse", "HEAD")
	treetest.Write(t, filepath.Join(dir, "trees/a/features/x/info.yaml"), "changed")
	git("commit", "-q", "-a", "-m", "two")
	return dir, first
}

func entry(repository, commit, dir string) config.Use {
	return config.Use{Kind: config.UseGit, URL: "file://" + repository, Commit: commit, Dir: dir}
}

// TestCommitIsFetchedOnce: what is used are the files of the commit, whatever the
// branch is at, the user's settings say, or becomes of the repository.
func TestCommitIsFetchedOnce(t *testing.T) {
	dir, first := repository(t)
	settings := filepath.Join(t.TempDir(), "settings")
	treetest.Write(t, settings, "[core]\n\tautocrlf = true\n\tfileMode = false\n\tsymlinks = false\n")
	t.Setenv("GIT_CONFIG_GLOBAL", settings)
	t.Setenv("GIT_DIR", "/nowhere")
	o, said := opener(t, false)
	r, err := o.open(&config.Root{}, entry(dir, first, "trees/a"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := fs.ReadFile(r.FS, "features/x/info.yaml"); string(text) != "trees/a/features/x/info.yaml" || err != nil {
		t.Errorf("info.yaml is %q, %v", text, err)
	}
	if info, err := fs.Stat(r.FS, "features/x/exec.config"); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("the script: %v, %v", info, err)
	}
	if target, err := fs.ReadLink(r.FS, "features/x/link"); target != "info.yaml" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if len(*said) != 1 || !strings.Contains((*said)[0], first) {
		t.Errorf("said %q", *said)
	}
	// From now on without the repository, and offline.
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	o.Offline = true
	if again, err := o.open(&config.Root{}, entry(dir, first, "trees/a")); err != nil || again.ID != r.ID || again.Dir != r.Dir {
		t.Errorf("from the cache: %+v, %v", again, err)
	}
	// What is damaged is not used, and replaced when that is possible.
	file := filepath.Join(r.Dir, "features/x/info.yaml")
	treetest.Write(t, file, "damaged")
	if _, err := o.open(&config.Root{}, entry(dir, first, "trees/a")); err == nil || !strings.Contains(err.Error(), "--offline") {
		t.Errorf("damaged: %v", err)
	}
	if err := os.Rename(dir+".gone", dir); err != nil {
		t.Fatal(err)
	}
	o.Offline = false
	if _, err := o.open(&config.Root{}, entry(dir, first, "trees/a")); err != nil || treetest.Content(t, file) != "trees/a/features/x/info.yaml" {
		t.Errorf("fetched again: %v", err)
	}
	left, err := os.ReadDir(o.Cache)
	if err != nil || len(left) != 1 || left[0].Name() != first {
		t.Errorf("in the cache are %v, %v", left, err)
	}
}

// TestCommitIsHeld: a commit that is in use is not removed from the cache, and not replaced by another build that
// fetches it at the same time.
func TestCommitIsHeld(t *testing.T) {
	dir, first := repository(t)
	o, _ := opener(t, false)
	kept := filepath.Join(o.Cache, first)
	discarded := func(want bool) {
		t.Helper()
		if gone, err := layer.Discard(kept, o.Cache, func() bool { return true }); gone != want || err != nil {
			t.Errorf("removed: %v, want %v, error %v", gone, want, err)
		}
	}
	open := func(o *Opener) {
		t.Helper()
		if _, err := o.open(&config.Root{}, entry(dir, first, "trees/a")); err != nil {
			t.Fatal(err)
		}
	}
	open(o)
	discarded(false)
	o.Held.Close()
	open(o)
	discarded(false)
	o.Held.Close()
	discarded(true)

	other := &Opener{Dir: o.Dir, Cache: o.Cache, Held: &layer.Holds{}, Say: o.Say}
	var before os.FileInfo
	o.Before = func() (func(), error) {
		open(other)
		var err error
		before, err = os.Stat(kept)
		return func() {}, err
	}
	open(o)
	if now, err := os.Stat(kept); err != nil || !os.SameFile(before, now) {
		t.Errorf("it replaced the commit that the other build uses; error %v", err)
	}
	other.Held.Close()
	discarded(false)
}

// TestCommitFaults: what is not there is named, and nothing is left of it.
func TestCommitFaults(t *testing.T) {
	dir, first := repository(t)
	other := strings.Repeat("1", 40)
	for want, u := range map[string]config.Use{
		"the repository file://" + dir + " has no commit " + other: entry(dir, other, "."),
		"commit " + first + " has no directory trees/b":            entry(dir, first, "trees/b"),
		"text is a file in commit " + first:                        entry(dir, first, "text"),
		"trees/out is not a directory of commit " + first:          entry(dir, first, "trees/out"),
		"trees/up is not a directory of commit " + first:           entry(dir, first, "trees/up"),
		"git cannot fetch it":                                      entry(dir+"/gone", first, "."),
	} {
		o, _ := opener(t, false)
		if _, err := o.open(&config.Root{}, u); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", u, err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Cache, ".*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
	o, _ := opener(t, false)
	if _, err := o.open(&config.Root{}, entry(dir, first, "trees/round")); err != nil {
		t.Errorf("a link within the commit: %v", err)
	}
}

// TestPaths: relative ones begin at the tree that they are written in.
func TestPaths(t *testing.T) {
	o, _ := opener(t, true)
	treetest.Lay(t, o.Dir, "inner/features/x/info.yaml", "file", "round -> inner")
	from := &config.Root{Dir: o.Dir}
	inner, err := o.open(from, config.Use{Kind: config.UsePath, Path: "inner"})
	if err != nil || inner.Dir != filepath.Join(o.Dir, "inner") {
		t.Fatalf("%+v, %v", inner, err)
	}
	for _, way := range []string{"inner/../inner", "round", filepath.Join(o.Dir, "inner")} {
		if r, err := o.open(from, config.Use{Kind: config.UsePath, Path: way}); err != nil || r.ID != inner.ID {
			t.Errorf("%s: %+v, %v", way, r, err)
		}
	}
	if self, err := o.open(inner, config.Use{Kind: config.UsePath, Path: ".."}); err != nil || self.ID != o.Uses().ID {
		t.Errorf("the tree itself: %+v, %v", self, err)
	}
	for path, want := range map[string]string{"gone": "there is no directory " + o.Dir + "/gone", "file": "is not a directory"} {
		if _, err := o.open(from, config.Use{Kind: config.UsePath, Path: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSameContent: steps see no difference between the features that are part of the
// program and those in the directory.
func TestSameContent(t *testing.T) {
	snapshots := source.Snapshots{Root: t.TempDir()}
	builtin, err := snapshots.ImportTree("builtin", Builtin())
	if err != nil {
		t.Fatal(err)
	}
	o, _ := opener(t, true)
	names := o.Uses().Builtin
	if len(names) < 7 {
		t.Fatalf("the features are %v", names)
	}
	for _, name := range names {
		from := func(dir string) string {
			s := snapshots
			s.Tree = dir
			src, err := s.Import("features/"+name, filepath.Join(dir, "features", name), func(string, bool) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			return src.Digest
		}
		if from(builtin.Path) != from("../..") {
			t.Errorf("%s is not what is in the directory", name)
		}
	}
}
