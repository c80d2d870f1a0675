package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
)

// The objects in testdata/ostree were made by ostree 2026.4: first and second
// with `ostree commit`, flavour by a build of debian-testing-amd64-ostree.

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/ostree/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseOSTreeCommit(t *testing.T) {
	for name, want := range map[string]OSTreeCommit{
		"first.commit": {Subject: "the first", Timestamp: 1700000000, Metadata: map[string]string{"version": "1"}},
		"second.commit": {
			Parent: "5c7fca956d7d609250bbdaefc0ef2d3d456308bd53408ed10a8e1e77cd46592d", Subject: "the second, with ümlaut", Timestamp: 1700000001,
			Metadata: map[string]string{"version": "2", "treewright.recipe": "xyz"},
		},
	} {
		c, err := ParseOSTreeCommit(read(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Parent != want.Parent || c.Subject != want.Subject || c.Timestamp != want.Timestamp || len(c.Metadata) != len(want.Metadata) {
			t.Errorf("%s: %+v, want %+v", name, c, want)
		}
		for k, v := range want.Metadata {
			if c.Metadata[k] != v {
				t.Errorf("%s: %s is %q, want %q", name, k, c.Metadata[k], v)
			}
		}
		contents, meta, _ := strings.Cut(c.Tree, ".")
		if len(contents) != 64 || len(meta) != 64 {
			t.Errorf("%s: tree %q", name, c.Tree)
		}
	}
	first, _ := ParseOSTreeCommit(read(t, "first.commit"))
	second, _ := ParseOSTreeCommit(read(t, "second.commit"))
	if first.Tree == second.Tree {
		t.Error("two trees count as one")
	}
}

// TestParseLargeCommit has offsets of two bytes, and values that are not
// strings.
func TestParseLargeCommit(t *testing.T) {
	c, err := ParseOSTreeCommit(read(t, "flavour.commit"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Metadata["treewright.flavour"] != "debian-testing-amd64-ostree" || len(c.Metadata["treewright.recipe"]) != 64 {
		t.Errorf("metadata %v", c.Metadata)
	}
	if n := strings.Count(c.Metadata["treewright.packages"], "\n"); n < 100 {
		t.Errorf("only %d packages", n)
	}
	if c.Parent != "" || c.Metadata["version"] == "" || c.Timestamp < 1700000000 {
		t.Errorf("%+v", c)
	}
	if _, ok := c.Metadata["ostree.bootable"]; ok {
		t.Error("a value that is not a string counts as one")
	}
}

func TestParseDamagedCommit(t *testing.T) {
	whole := read(t, "second.commit")
	for n := range whole {
		if c, err := ParseOSTreeCommit(whole[:n]); err == nil && c.Subject == "the second, with ümlaut" && c.Metadata["version"] == "2" && len(c.Tree) == 129 {
			t.Errorf("cut off after %d of %d bytes it still reads as whole", n, len(whole))
		}
	}
	for name, b := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 200), "text": bytes.Repeat([]byte("text "), 50)} {
		if _, err := ParseOSTreeCommit(b); !errors.Is(err, errCommit) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzParseOSTreeCommit(f *testing.F) {
	for _, name := range []string{"first.commit", "second.commit", "flavour.commit"} {
		f.Add(read(f, name))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseOSTreeCommit(b)
		if err != nil {
			return
		}
		if len(c.Parent) != 0 && len(c.Parent) != 64 {
			t.Errorf("parent %q", c.Parent)
		}
		if len(c.Subject) > len(b) || c.Metadata == nil {
			t.Errorf("%+v out of %d bytes", c, len(b))
		}
	})
}

func TestSetSummaryTime(t *testing.T) {
	b := read(t, "summary")
	before := bytes.Clone(b)
	if err := SetSummaryTime(b, 1700000001); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i := range b {
		if b[i] != before[i] {
			changed++
		}
	}
	if changed == 0 || changed > 8 {
		t.Errorf("%d bytes changed, want those of the time alone", changed)
	}
	if !bytes.Contains(b, binary.BigEndian.AppendUint64(nil, 1700000001)) {
		t.Error("the time is not there")
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "no time": []byte("something else"), "cut off": []byte("ostree.summary.last-modified\x00xx"),
		"another type": []byte("ostree.summary.last-modified\x00xxx12345678\x00s"),
	} {
		if err := SetSummaryTime(b, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
