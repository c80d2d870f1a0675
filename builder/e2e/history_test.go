//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// published is a project with a repository that other machines may have pulled
// from.
type published struct{ *project }

// forget removes results from the cache, those of a step and of all that come
// after it in the manifest: the step runs again, as after `cache clear`.
func (p *published) forget(first string) {
	p.t.Helper()
	found := false
	for _, s := range p.manifest().Steps {
		if found = found || strings.Contains(s.ID, first); found {
			if err := os.RemoveAll(filepath.Join(p.cache, "store/results", s.Key)); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	// And all commits: none can be taken from the cache.
	for _, repo := range p.repositories() {
		if err := os.RemoveAll(filepath.Dir(filepath.Dir(repo))); err != nil {
			p.t.Fatal(err)
		}
	}
	if !found {
		p.t.Fatalf("no step %s: %+v", first, p.manifest().Steps)
	}
}

// buildSaying builds and returns what was said.
func (p *published) buildSaying() (manifest, string) {
	p.t.Helper()
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 {
		p.t.Fatalf("exit %d:\n%s", code, out)
	}
	return p.manifest(), out
}

// unchanged builds, which must have nothing to do.
func (p *published) unchanged(commit string) {
	p.t.Helper()
	m, out := p.buildSaying()
	if m.Commit != commit || len(m.ran()) > 0 {
		p.t.Errorf("an unchanged build made commit %s, not %s, and ran %v:\n%s", m.Commit, commit, m.ran(), out)
	}
}

// objects are the objects of a kind in the published repository, the largest
// first.
func (p *published) objects(kind string) []string {
	p.t.Helper()
	out, err := exec.Command("sh", "-c", `find "$1" -name "*.$2" -printf '%s %p\n' | sort -rn | cut -d' ' -f2-`, "sh",
		filepath.Join(p.output("small-repo-amd64"), "objects"), kind).Output()
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// repositories are the commits in the cache.
func (p *published) repositories() []string {
	p.t.Helper()
	repos, err := filepath.Glob(filepath.Join(p.cache, "store/results/*/data/repo"))
	if err != nil {
		p.t.Fatal(err)
	}
	return repos
}

// share makes an object of the published repository one file with the cache's,
// as it is where hard links lead from one to the other.
func (p *published) share(object string) {
	p.t.Helper()
	rel, err := filepath.Rel(p.output("small-repo-amd64"), object)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, repo := range p.repositories() {
		other := filepath.Join(repo, rel)
		if err := os.Remove(other); os.IsNotExist(err) {
			continue
		}
		if err := os.Link(object, other); err != nil {
			p.t.Fatal(err)
		}
	}
}

// fsck checks the published repository with ostree itself, where there is one.
func (p *published) fsck() {
	p.t.Helper()
	if _, err := exec.LookPath("ostree"); err != nil {
		return
	}
	if out, err := exec.Command("ostree", "--repo="+p.output("small-repo-amd64"), "fsck", "--quiet").CombinedOutput(); err != nil {
		p.t.Errorf("ostree fsck: %v\n%s", err, out)
	}
}

// TestPublishedStays: no commit that was published is ever replaced, and damage
// to what is published is seen and repaired.
func TestPublishedStays(t *testing.T) {
	t.Parallel()
	p := &published{sharing(t, strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "when"]`, 1))}
	p.write("features/when/info.yaml", "description: tells what it was given\ntype: element\nfeatures:\n  include: [base]\n")
	script := func(text string) {
		t.Helper()
		p.write("features/when/exec.late", "#!/bin/bash\nset -euo pipefail\n"+text)
		if err := os.Chmod(filepath.Join(p.dir, "features/when/exec.late"), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	// A step that gives the same bytes each time.
	script("useradd --system late\necho one >/etc/built-at\n")
	first := p.build()
	// Others go on with the shared cache as it is. What is published has files in common
	// with the commit there by hard links, and is damaged below.
	shared := p.result("commit/commit")
	p.ownCache()
	if err := os.RemoveAll(filepath.Dir(shared)); err != nil {
		t.Fatal(err)
	}
	p.unchanged(first.Commit)
	for _, step := range []string{"exec.late/when", "commit/commit"} {
		p.forget(step)
		m, out := p.buildSaying()
		if m.Commit != first.Commit || m.Parent != "" || len(m.ran()) == 0 || strings.Contains(out, "other bytes") {
			t.Errorf("made again, %v, the same tree is commit %s after %q, not %s:\n%s", m.ran(), m.Commit, m.Parent, first.Commit, out)
		}
		p.unchanged(first.Commit)
		p.unchanged(first.Commit)
	}

	// One that does not: first as a change like any other.
	script("useradd --system late\ndate +%N >/etc/built-at\n")
	last := p.build()
	if last.Parent != first.Commit {
		t.Fatalf("the second commit's parent is %q", last.Parent)
	}
	for range 2 {
		p.forget("exec.late/when")
		m, out := p.buildSaying()
		if m.Parent != last.Commit || m.Version == last.Version {
			t.Errorf("what is made again with other bytes is commit %s, version %s, after %q; want it after %s", m.Commit, m.Version, m.Parent, last.Commit)
		}
		if !strings.Contains(out, "nothing changed since commit "+last.Commit[:12]) || !strings.Contains(out, "exec.late/when") || !strings.Contains(out, "(/etc/built-at)") {
			t.Errorf("which step gave other bytes is not said:\n%s", out)
		}
		p.unchanged(m.Commit)
		p.unchanged(m.Commit)
		last = m
	}
	// Back to what it was is a commit after all of them.
	script("useradd --system late\necho one >/etc/built-at\n")
	m := p.build()
	if m.Parent != last.Commit {
		t.Errorf("an earlier recipe's commit follows %q, not %s", m.Parent, last.Commit)
	}
	last = m
	p.fsck()

	for name, damage := range map[string]func(path string) error{
		"cut off": func(path string) error { return os.Truncate(path, 100) },
		"flipped": func(path string) error {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			var b [1]byte
			if _, err := f.ReadAt(b[:], 90); err != nil {
				return err
			}
			b[0] ^= 1
			_, err = f.WriteAt(b[:], 90)
			return err
		},
	} {
		for i, kind := range []string{"filez", "dirtree"} {
			object := p.objects(kind)[i]
			if kind == "filez" {
				p.share(object)
			}
			if err := damage(object); err != nil {
				t.Fatal(err)
			}
			m, out := p.buildSaying()
			said := filepath.Base(object)
			// Where the cache's is damaged too the tree is committed again.
			if again := len(m.ran()) > 0; again != (kind == "filez") {
				t.Errorf("%s %s: it ran %v", kind, name, m.ran())
			}
			if m.Commit != last.Commit || !strings.Contains(out, said) || !strings.Contains(out, "damaged") {
				t.Errorf("%s %s: commit %s, was %s; it says\n%s", kind, name, m.Commit, last.Commit, out)
			}
			p.fsck()
			p.unchanged(last.Commit)
		}
	}
	// In the oldest commit alone, of which nothing is a copy.
	old := filepath.Join(p.output("small-repo-amd64"), "objects", first.Commit[:2], first.Commit[2:]+".commit")
	whole, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	results, err := filepath.Glob(filepath.Join(p.cache, "store/results/*/data/repo/objects", first.Commit[:2], first.Commit[2:]+".commit"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(results, old) {
		if err := os.Truncate(path, 10); err != nil {
			t.Fatal(err)
		}
	}
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code == 0 || !strings.Contains(out, first.Commit[2:]+".commit") || !strings.Contains(out, "backup") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if err := os.WriteFile(old, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if m, _ := p.buildSaying(); m.Commit != last.Commit {
		t.Errorf("with the object restored the commit is %s, was %s", m.Commit, last.Commit)
	}
	p.fsck()
}
