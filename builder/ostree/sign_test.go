package ostree

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// newSigner is one with a key of its own, and the file of its public key.
func newSigner(t *testing.T, name string) (*sign.Signer, string) {
	t.Helper()
	if program, _ := sign.Missing(); program != "" {
		treetest.Skip(t, "needs the program %s", program)
	}
	private, err := sign.Generate(t.Context(), name, "never")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "private"), string(private))
	s, err := sign.NewSigner(t.Context(), sign.Options{Key: filepath.Join(dir, "private")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	public := filepath.Join(dir, "public.gpg")
	treetest.Write(t, public, string(s.Keys.Binary))
	return s, public
}

// publishSigned publishes as a build does.
func publishSigned(t *testing.T, made realRepo, dest string, signer *sign.Signer) Signed {
	t.Helper()
	s, err := Stage(t.Context(), Made{Repo: made.dir}, dest, dest+".objects", nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(t.Context(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := layer.Sync(s.to.dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(); err != nil {
		t.Fatal(err)
	}
	return done
}

// pullSigned is what a machine with a key gets of a repository: "" or what ostree reports.
func pullSigned(t *testing.T, dest, public, what string) string {
	t.Helper()
	client := filepath.Join(t.TempDir(), "client")
	runOSTree(t, "--repo="+client, "init", "--mode=bare-user")
	runOSTree(t, "--repo="+client, "remote", "add", "--gpg-import="+public, "--set=gpg-verify-summary=true", "main", "file://"+dest)
	out, err := exec.Command("ostree", "--repo="+client, "pull", "main", what).CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out)
}

// TestSign: machines that verify accept what was signed, by ostree itself, and nothing
// else; what is signed already is not signed again.
func TestSign(t *testing.T) {
	made := makeReal(t)
	signer, public := newSigner(t, "One")
	_, other := newSigner(t, "Other")
	dest := filepath.Join(t.TempDir(), "published")

	if done := publishSigned(t, made, dest, nil); len(done.Commits)+len(pullSigned(t, dest, public, testRef)) == 0 || done.Dropped {
		t.Error("a machine that verifies takes an unsigned commit")
	}
	done := publishSigned(t, made, dest, signer)
	if strings.Join(done.Commits, " ") != made.first+" "+made.head || !done.Summary {
		t.Errorf("signed %+v", done)
	}
	for _, what := range []string{testRef, made.first} {
		if out := pullSigned(t, dest, public, what); out != "" {
			t.Error(out)
		}
	}
	if out := pullSigned(t, dest, other, testRef); !strings.Contains(out, "public key not found") && !strings.Contains(out, "not in trusted keyring") {
		t.Errorf("a machine with another key: %q", out)
	}
	published := made
	published.dir, published.record = dest, dest+".objects"
	if _, read := published.check(); read != 0 {
		t.Errorf("%d objects are read again after they were signed", read)
	}
	if done := publishSigned(t, made, dest, signer); len(done.Commits) > 0 || done.Summary {
		t.Errorf("signed again: %+v", done)
	}
	// A damaged signature is made again, and that of another key stays beside it.
	second, secondPublic := newSigner(t, "Two")
	if err := os.Remove(filepath.Join(dest, SummarySignature)); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(dest, object(made.head, detached)), "")
	if done := publishSigned(t, made, dest, signer); len(done.Commits) != 1 || !done.Summary {
		t.Errorf("not signed again: %+v", done)
	}
	if done := publishSigned(t, made, dest, second); len(done.Commits) != 2 || !done.Summary {
		t.Errorf("the second key: %+v", done)
	}
	if out := pullSigned(t, dest, secondPublic, testRef); out != "" {
		t.Error(out)
	}
	if why := (Repository{dir: dest}).whyUnsigned(t.Context(), made.head, signer.Keys); why != nil {
		t.Error("the first key's signature is gone:", why)
	}
	// Another summary without a signer leaves no signature that does not fit.
	tree := t.TempDir()
	treetest.Write(t, filepath.Join(tree, "usr/etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n")
	treetest.Write(t, filepath.Join(tree, "usr/etc/group"), "root:x:0:\n")
	made.commit(tree, "--parent="+made.head)
	runOSTree(t, "--repo="+made.dir, "summary", "--update")
	if done := publishSigned(t, made, dest, nil); !done.Dropped || treefs.Exists(filepath.Join(dest, SummarySignature)) {
		t.Errorf("an older summary's signature stays: %+v", done)
	}
	// When it is published for the first time, all of it is signed at once.
	fresh := filepath.Join(t.TempDir(), "fresh")
	if done := publishSigned(t, made, fresh, signer); len(done.Commits) != 3 || pullSigned(t, fresh, public, testRef) != "" {
		t.Errorf("%+v", done)
	}
}
