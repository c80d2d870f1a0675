package debian

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// A machine's sources are read as its apt reads them.
func TestMachineSources(t *testing.T) {
	root := t.TempDir()
	treetest.WriteAll(t, root, map[string]string{
		"etc/apt/sources.list": "# none\ndeb http://old.example/debian trixie main contrib # more\ndeb-src http://old.example/debian trixie main\n" +
			"deb [arch=amd64,i386 signed-by=/etc/apt/keyrings/x.gpg] https://x.example/apt/ ./\ndeb [trusted=yes] http://unsigned.example x main\ndeb cdrom:[disk]/ trixie main\n",
		"etc/apt/sources.list.d/debian.sources": "Types: deb deb-src\n# the mirror\nURIs: http://a.example/debian/ http://b.example/debian\nSuites: testing\n testing-updates\nComponents: main\nSigned-By: /usr/share/keyrings/k.pgp\n\n" +
			"Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: x\n",
		"etc/apt/sources.list.d/Own_One.sources": "Types: deb\nURIs: file:/srv/apt\nSuites: ./\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n -----END PGP PUBLIC KEY BLOCK-----\n",
		"etc/apt/sources.list.d/ignored.bak":     "deb http://ignored.example x main\n",
	})
	var kept []string
	all, notes, err := Family{}.MachineSources(root, func(text string) (string, error) {
		kept = append(kept, text)
		return "/kept", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		got = append(got, strings.ReplaceAll(fmt.Sprint(s.Name, " ", s.URL, " ", s.Suite, " ", s.Components, s.Architectures, " ", s.Keyring), root, "ROOT"))
	}
	want := []string{
		"main http://old.example/debian trixie [main contrib] [] ROOT/usr/share/keyrings/debian-archive-keyring.gpg",
		"machine-sources-1 https://x.example/apt ./ [] [amd64 i386] ROOT/etc/apt/keyrings/x.gpg",
		"machine-own-one-0 file:///srv/apt ./ [] [] /kept",
		"machine-debian-0 http://a.example/debian testing [main] [] ROOT/usr/share/keyrings/k.pgp",
		"machine-debian-1 http://a.example/debian testing-updates [main] [] ROOT/usr/share/keyrings/k.pgp",
		"machine-debian-2 http://b.example/debian testing [main] [] ROOT/usr/share/keyrings/k.pgp",
		"machine-debian-3 http://b.example/debian testing-updates [main] [] ROOT/usr/share/keyrings/k.pgp",
	}
	slices.Sort(want[2:])
	slices.Sort(got[2:])
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(kept) != 1 || kept[0] != "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabcd\n-----END PGP PUBLIC KEY BLOCK-----\n" {
		t.Errorf("kept %q", kept)
	}
	if text := strings.Join(notes, "\n"); len(notes) != 2 || !strings.Contains(text, "trusted=yes") || !strings.Contains(text, "cdrom:") {
		t.Errorf("notes are\n%s", text)
	}
}
