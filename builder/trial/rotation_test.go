package trial

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treetest"
)

// runOSTree returns what ostree prints, and fails the test if ostree does.
func runOSTree(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("ostree", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ostree %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// threeCommits makes three repositories, each with one commit more than the one before.
func threeCommits(t *testing.T) (all []build.Commit) {
	tree, parent := t.TempDir(), ""
	treetest.Write(t, filepath.Join(tree, "usr/etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n")
	treetest.Write(t, filepath.Join(tree, "usr/etc/group"), "root:x:0:\n")
	for _, stamp := range []string{"1700000000", "1700000001", "1700000002"} {
		repo := filepath.Join(t.TempDir(), "repo")
		runOSTree(t, "--repo="+repo, "init", "--mode=archive")
		commit := []string{"--repo=" + repo, "commit", "--branch=main", "--tree=dir=" + tree, "--no-bindings", "--owner-uid=0", "--owner-gid=0", "--timestamp=@" + stamp, "--add-metadata-string=version=1"}
		if parent != "" {
			runOSTree(t, "--repo="+repo, "pull-local", all[len(all)-1].Repo)
			commit = append(commit, "--parent="+parent)
		}
		treetest.Write(t, filepath.Join(tree, "usr/built-at"), stamp)
		parent = runOSTree(t, commit...)
		runOSTree(t, "--repo="+repo, "summary", "--update")
		all = append(all, build.Commit{Commit: parent, Repo: repo})
	}
	return all
}

// TestRotation: what is offered to a machine that has the new key is refused, ignored or
// taken by libostree as it is in a virtual machine.
func TestRotation(t *testing.T) {
	if _, err := exec.LookPath("ostree"); err != nil {
		treetest.Skip(t, "needs the program ostree")
	}
	if program, _ := sign.Missing(); program != "" {
		treetest.Skip(t, "needs the program %s", program)
	}
	commits, served := threeCommits(t), filepath.Join(t.TempDir(), "served")
	signers := make([]*sign.Signer, 2)
	for i, name := range []string{"Old", "New"} {
		private, err := sign.Generate(t.Context(), name, "never")
		if err != nil {
			t.Fatal(err)
		}
		if signers[i], err = sign.Of(t.Context(), private); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { signers[i].Close() })
	}
	by := func(s *sign.Signer) func(func(*sign.Signer) error) error {
		return func(do func(*sign.Signer) error) error { return do(s) }
	}
	r := &rotation{
		repo: served, ref: "main", from: commits[0], next: commits[1], after: commits[2], old: by(signers[0]), new: by(signers[1]),
		publish: func(repo string, s *sign.Signer) error {
			return ostree.Publish(t.Context(), repo, served, served+".objects", s)
		},
	}
	for _, c := range commits[:2] {
		if err := r.publish(c.Repo, signers[0]); err != nil {
			t.Fatal(err)
		}
		if c == commits[0] {
			before, err := r.state(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.begin(); err != nil {
				t.Fatal(err)
			}
			if now, err := r.state(c); err != nil || string(now[ostree.SummarySignature]) != string(before[ostree.SummarySignature]) || string(r.older[ostree.SummarySignature]) == string(before[ostree.SummarySignature]) {
				t.Errorf("machines see more than before: %v", err)
			}
		}
	}
	offers, err := r.offers()
	if err != nil {
		t.Fatal(err)
	}
	// machine makes one that has a key and runs a commit, and has seen nothing else.
	machine := func(key *sign.Signer, runs build.Commit) string {
		public, repo := filepath.Join(t.TempDir(), "key.gpg"), filepath.Join(t.TempDir(), "machine")
		treetest.Write(t, public, string(key.Keys.Binary))
		runOSTree(t, "--repo="+repo, "init", "--mode=bare-user")
		runOSTree(t, "--repo="+repo, "remote", "add", "--gpg-import="+public, "--set=gpg-verify-summary=true", "it", "file://"+served)
		runOSTree(t, "--repo="+repo, "pull-local", "--remote=it", runs.Repo)
		return repo
	}
	for _, o := range offers {
		repo := machine(signers[1], commits[1])
		if err := o.Publish(); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("ostree", "--repo="+repo, "pull", "--timestamp-check", "it", "main").CombinedOutput()
		if (err != nil) != o.Fails || o.Fails && !regexp.MustCompile(o.Pattern).Match(out) {
			t.Errorf("%s: %v\n%s", o.Name, err, out)
		}
		want := commits[1].Commit
		if o.Takes != "" {
			want = o.Takes
		}
		if got := runOSTree(t, "--repo="+repo, "rev-parse", "it:main"); got != want {
			t.Errorf("%s: the machine has %s, want %s", o.Name, got, want)
		}
	}
	// A machine that went back to the first commit has the old key.
	if err := r.publish(commits[2].Repo, signers[0]); err != nil {
		t.Fatal(err)
	}
	runOSTree(t, "--repo="+machine(signers[0], commits[0]), "pull", "--timestamp-check", "it", "main")
}
