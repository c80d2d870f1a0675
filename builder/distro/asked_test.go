package distro

import (
	"context"
	"testing"
)

// TestAsked: another request, or other sources, give other packages. The base depends on the
// distribution's own sources alone.
func TestAsked(t *testing.T) {
	main := Source{Name: MainSource, URL: "https://a", Suite: "testing", Keyring: "/here/keys"}
	extra := Source{Name: "extra", URL: "https://b", Suite: "stable"}
	resolve := func(o ArchiveOptions, wants ...Want) (base, all string) {
		t.Helper()
		a, err := Asked{}.Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := a.Resolve(context.Background(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.Resolve(context.Background(), b, wants)
		if err != nil {
			t.Fatal(err)
		}
		return b.Digest(), c.Digest()
	}
	usual := ArchiveOptions{Sources: []Source{main}, Arch: "amd64"}
	base, all := resolve(usual, Want{Name: "tree"}, Want{Name: "jq"})
	elsewhere := main
	elsewhere.Keyring = "/elsewhere/keys"
	if b, c := resolve(ArchiveOptions{Sources: []Source{elsewhere}, Arch: "amd64"}, Want{Name: "jq"}, Want{Name: "tree"}); b != base || c != all {
		t.Error("the place of the keyring, or the order of packages, makes a difference")
	}
	suite := main
	suite.Suite = "trixie"
	for name, o := range map[string]ArchiveOptions{"suite": {Sources: []Source{suite}, Arch: "amd64"}, "architecture": {Sources: []Source{main}, Arch: "arm64"}} {
		if b, c := resolve(o, Want{Name: "tree"}, Want{Name: "jq"}); b == base || c == all {
			t.Errorf("another %s makes no difference", name)
		}
	}
	if b, c := resolve(ArchiveOptions{Sources: []Source{main, extra}, Arch: "amd64"}, Want{Name: "tree"}, Want{Name: "jq"}); b != base || c == all {
		t.Error("another source changes the base, or does not change the installed packages")
	}
	for name, wants := range map[string][]Want{
		"version": {{Name: "tree", Version: "1"}, {Name: "jq"}}, "suite of a package": {{Name: "tree", Suite: "backports"}, {Name: "jq"}},
		"forbidden package": {{Name: "tree"}, {Name: "jq"}, {Name: "vim", Forbidden: true}}, "other architecture": {{Name: "tree:i386"}, {Name: "jq"}},
		"recommended packages": {{Name: "tree", Recommends: true}, {Name: "jq"}}, "missing package": {{Name: "tree"}},
	} {
		if b, c := resolve(usual, wants...); b != base || c == all {
			t.Errorf("%s: changes the base, or does not change the installed packages", name)
		}
	}
}
