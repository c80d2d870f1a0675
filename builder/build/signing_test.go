package build_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treetest"
)

// keyFile is the file of a new private key, and its public half, armored.
func keyFile(t *testing.T) (private, public string) {
	t.Helper()
	if program, _ := sign.Missing(); program != "" {
		treetest.Skip(t, "needs the program %s", program)
	}
	key, err := sign.Generate(t.Context(), "Releases", "never")
	if err != nil {
		t.Fatal(err)
	}
	armored, err := sign.Public(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	private = filepath.Join(t.TempDir(), "private")
	treetest.Write(t, private, string(key))
	return private, string(armored)
}

// TestSigning: who signs, whose signatures machines accept, and what cannot be signed.
func TestSigning(t *testing.T) {
	private, public := keyFile(t)
	strange, _ := keyFile(t)
	tree := small(t)
	treetest.Write(t, filepath.Join(tree, "keys/release.asc"), public)
	treetest.Write(t, filepath.Join(tree, "flavours/signed.hcl"), `flavour "signed" {
  extends = "small"
  sign {
    public_keys = ["keys/release.asc"]
    command     = ["./sign"]
  }
}
`)
	built := func(flavour string, o build.SignOptions) (*build.Made, string, error) {
		t.Helper()
		b, err := build.Open(build.Options{Tree: tree, Jobs: 1, Backend: buildtest.Backend(), Sign: o})
		if err != nil {
			t.Fatal(err)
		}
		sink := &recorder{}
		made, err := b.Build(t.Context(), build.Request{Name: flavour, Sink: sink})
		var ran []string
		for _, e := range sink.of(event.StepStarted) {
			ran = append(ran, e.Step)
		}
		return made, strings.Join(ran, " "), err
	}
	bringsKeys := func(made *build.Made) bool {
		return slices.ContainsFunc(made.Graph.Steps(), func(s *plan.Step) bool { return s.ID == "commit/keys" })
	}

	// Without a signer nothing is built.
	if _, ran, err := built("signed", build.SignOptions{}); err == nil || !strings.Contains(fmt.Sprint(err), "which is to sign, does not exist") || !strings.Contains(fmt.Sprint(err), "signed.hcl:5") || ran != "" {
		t.Errorf("ran %q: %v", ran, err)
	}
	treetest.Write(t, filepath.Join(tree, "sign"), "#!/bin/sh\n")
	if _, ran, err := built("signed", build.SignOptions{}); err == nil || !strings.Contains(fmt.Sprint(err), "is not an executable file") || ran != "" {
		t.Errorf("ran %q: %v", ran, err)
	}
	if _, ran, err := built("signed", build.SignOptions{Key: strange}); err == nil || !strings.Contains(err.Error(), "is not among the public keys") || ran != "" {
		t.Errorf("ran %q: %v", ran, err)
	}
	made, _, err := built("signed", build.SignOptions{None: true})
	if err != nil {
		t.Fatal(err)
	}
	if made.Key.Fingerprint != "" || made.Manifest.SignedBy != "" || !bringsKeys(made) || made.Keys() == nil {
		t.Errorf("without signatures: key %s, keys %v", made.Key, bringsKeys(made))
	}
	unsigned := made.Manifest.Commit

	made, _, err = built("signed", build.SignOptions{Key: private})
	if err != nil {
		t.Fatal(err)
	}
	if made.Manifest.Commit != unsigned || made.Manifest.SignedBy != made.Keys().Keys[0].Fingerprint {
		t.Errorf("signed by %q, commit %s, not %s", made.Manifest.SignedBy, made.Manifest.Commit, unsigned)
	}
	out := made.Output
	sums := filepath.Join(out.Public, publish.SumsName)
	for _, file := range []string{sums, out.Manifest()} {
		sig, err := os.ReadFile(file + publish.SignatureSuffix)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := made.Keys().Verify(t.Context(), []byte(treetest.Content(t, file)), sig); err != nil {
			t.Error(file, err)
		}
	}
	if got := treetest.Content(t, filepath.Join(out.Public, publish.KeysName)); got != string(made.Keys().Binary) {
		t.Error("the public keys are not beside the artifacts")
	}
	before := treetest.Content(t, sums+publish.SignatureSuffix)
	if _, ran, err := built("signed", build.SignOptions{Key: private}); err != nil || ran != "" || treetest.Content(t, sums+publish.SignatureSuffix) != before {
		t.Errorf("unchanged, %q ran and the sums are signed again: %v", ran, err)
	}
	if _, _, err := built("signed", build.SignOptions{None: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(sums + publish.SignatureSuffix); !os.IsNotExist(err) {
		t.Errorf("the signature of an earlier build stays: %v", err)
	}

	// A flavour that names nobody has the public half of the key, signed or not.
	if made, _, err = built("small", build.SignOptions{Key: private}); err != nil || !bringsKeys(made) || made.Manifest.SignedBy == "" {
		t.Errorf("%v", err)
	}
	if made, _, err = built("small", build.SignOptions{}); err != nil || bringsKeys(made) || made.Manifest.SignedBy != "" {
		t.Errorf("%v", err)
	}
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(tree, "flavours/signed.hcl"), fmt.Sprintf("flavour \"signed\" {\n  extends = \"small\"\n  sign {\n    key  = \"0123456789ABCDEF\"\n    home = %q\n  }\n}\n", home))
	if _, ran, err := built("signed", build.SignOptions{None: true}); err == nil || !strings.Contains(fmt.Sprint(err), `gpg has no key "0123456789ABCDEF"`) || !strings.Contains(fmt.Sprint(err), "signed.hcl:4") || ran != "" {
		t.Errorf("ran %q: %v", ran, err)
	}
}

// TestSigningInALaterJob: a machine that has the results, as from a shared cache, but not the
// artifacts that the first machine published, signs the same commit without running a step.
func TestSigningInALaterJob(t *testing.T) {
	private, public := keyFile(t)
	tree := small(t)
	treetest.Write(t, filepath.Join(tree, "keys/release.asc"), public)
	treetest.Write(t, filepath.Join(tree, "flavours/signed.hcl"), "flavour \"signed\" {\n  extends = \"small\"\n  sign {\n    public_keys = [\"keys/release.asc\"]\n  }\n}\n")
	job := func(o build.SignOptions) (*build.Made, int) {
		t.Helper()
		b, err := build.Open(build.Options{Tree: tree, Output: t.TempDir(), Jobs: 1, Backend: buildtest.Backend(), Sign: o})
		if err != nil {
			t.Fatal(err)
		}
		sink := &recorder{}
		made, err := b.Build(t.Context(), build.Request{Name: "signed", Sink: sink})
		if err != nil {
			t.Fatal(err)
		}
		return made, len(sink.of(event.StepStarted))
	}
	first, ran := job(build.SignOptions{})
	if first.Manifest.SignedBy != "" || ran == 0 {
		t.Errorf("the first job is signed by %q, and ran %d steps", first.Manifest.SignedBy, ran)
	}
	second, ran := job(build.SignOptions{Key: private})
	if second.Manifest.SignedBy == "" || second.Manifest.Commit != first.Manifest.Commit || ran != 0 {
		t.Errorf("the second job is signed by %q, has commit %s, not %s, and ran %d steps", second.Manifest.SignedBy, second.Manifest.Commit, first.Manifest.Commit, ran)
	}
}
