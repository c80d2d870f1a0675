package debian

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// TestFileIsInPool: archives write the field with any blanks.
func TestFileIsInPool(t *testing.T) {
	text := "Package: a\nVersion: 1:2\nArchitecture: all\nFilename:\t./a.deb \nSize: 1\nSHA256: " + strings.Repeat("0", 64) + "\n"
	p, err := parsePackage([]byte(text))
	if want := strings.Replace(text, "\t./a.deb ", " pool/a_2_all.deb", 1); err != nil || inPool(p) != want {
		t.Errorf("%q, error %v", inPool(p), err)
	}
}

// TestFetchFromSources: each package comes from its own source, and from the other
// mirrors of that if the first one does not have it. What no mirror has names all.
func TestFetchFromSources(t *testing.T) {
	empty, full, other := newMirror(t), newMirror(t), newMirror(t)
	a, b := deb(1500000000, "a"), deb(1500000001, "b")
	index := full.add("a", "1", a) + "\n" + other.add("b", "1", b)
	packages, err := parsePackages([]byte(index))
	if err != nil {
		t.Fatal(err)
	}
	hints := distro.FetchHints{
		Mirrors: map[string][]string{distro.MainSource: {empty.URL, full.URL}, "vendor": {other.URL}},
		From:    map[string]string{packages[1].SHA256: "vendor"}, Cache: t.TempDir(),
	}
	out := t.TempDir()
	if _, err := fetch(t.Context(), []byte(index), out, hints, impatient(), func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": string(a), "b": string(b)} {
		if got, err := os.ReadFile(filepath.Join(out, "pool", name+"_1_amd64.deb")); err != nil || string(got) != want {
			t.Errorf("%s: error %v, or another content", name, err)
		}
	}
	hints.From, hints.Cache = nil, t.TempDir()
	_, err = fetch(t.Context(), []byte(index), t.TempDir(), hints, impatient(), func(int64, int64) {})
	if err == nil || !strings.Contains(err.Error(), empty.URL) || !strings.Contains(err.Error(), full.URL) {
		t.Errorf("a package that its source does not have: %v", err)
	}
}
