package debian

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestLeftOut: a package that a suite has, but that may not come from there, is
// reported with the reason.
func TestLeftOut(t *testing.T) {
	_, _, sources := archives(t)
	other := debtest.New(t, &debtest.Suite{Name: "other", Architectures: []string{"amd64", "i386"}, Packages: []debtest.Package{
		{Name: "tool", Fields: map[string]string{"Section": "other"}}, {Name: "half", Arch: "amd64"},
	}})
	sources = append(sources, distro.Source{Name: "other", URL: other.FileURL(), Suite: "other", Components: []string{"main"}, Keyring: other.Key.Keyring})
	a := opened(t, sources)
	for want, reason := range map[distro.Want]string{
		{Name: "tool", Suite: "vendor"}:    `no pattern in packages of the source "vendor" is for it`,
		{Name: "docker-ce", Suite: "main"}: `a pattern in packages of the source "vendor" has it come from there alone`,
		{Name: "tool", Suite: "other"}:     "another source has the same version as another file, which is taken: nothing could tell the two apart",
		{Name: "prog", Suite: "security"}:  "",
	} {
		_, err := a.Resolve(t.Context(), nil, []distro.Want{want})
		var unknown *distro.UnknownError
		if !errors.As(err, &unknown) || unknown.LeftOut[want.String()] != reason {
			t.Errorf("%s: error %v, of which %q; want %q", want, err, unknown.LeftOut, reason)
		}
	}
	sources[4].Priority = -1
	for want, reason := range map[distro.Want]string{
		{Name: "half"}: `the priority of the source "other" is below 0, and no other has it; write half/other`, {Name: "nothing"}: "",
	} {
		_, err := opened(t, sources).Resolve(t.Context(), nil, []distro.Want{want})
		var unknown *distro.UnknownError
		if !errors.As(err, &unknown) || unknown.LeftOut[want.String()] != reason {
			t.Errorf("%s: error %v, of which %q; want %q", want, err, unknown, reason)
		}
	}
	// What no other source may have, it need not have.
	sources[4].Packages = []string{"tool"}
	_, err := opened(t, sources).Resolve(t.Context(), nil, []distro.Want{{Name: "tool"}})
	var unknown *distro.UnknownError
	if want := `the priority of the source "other" is below 0, and its packages come from there alone; write tool/other`; !errors.As(err, &unknown) || unknown.LeftOut["tool"] != want {
		t.Errorf("error %v, of which %q; want %q", err, unknown, want)
	}
	// Of a suite that has it for another architecture only, it is not asked.
	if union := a.(*Archive); !union.has(4, "half:amd64") || union.has(4, "half:i386") || !union.has(4, "half") {
		t.Error("the architecture of a package does not count")
	}
}

// TestKeyringNames: whether a keyring is armoured is told by what is in it.
func TestKeyringNames(t *testing.T) {
	r := debtest.New(t, &debtest.Suite{Name: "stable", Packages: debtest.Base()})
	for name, from := range map[string]string{"binary.asc": r.Key.Keyring, "text.gpg": r.Key.Armoured, "text.key": r.Key.Armoured} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		opened(t, []distro.Source{{Name: "main", URL: r.FileURL(), Suite: "stable", Components: []string{"main"}, Keyring: file}})
	}
}

// TestCheckKeyring: what is not a keyring is said before an archive is asked.
func TestCheckKeyring(t *testing.T) {
	k := debtest.NewKey(t, "own")
	for content, want := range map[string]string{
		"": "a file without a key", "text": "not a file of OpenPGP packets", string(k.Secret(t)): "a file with a private key",
	} {
		file := filepath.Join(t.TempDir(), "key.gpg")
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := (Family{}).CheckKeyring(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if err := (Family{}).CheckKeyring(k.Armoured); err != nil {
		t.Error(err)
	}
}
