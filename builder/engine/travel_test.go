package engine

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
	"golang.org/x/sys/unix"
)

// TestRootResultsTravel: a result that was packed and unpacked into another store
// is the same, and serves there.
func TestRootResultsTravel(t *testing.T) {
	needRoot(t)
	here, there := scriptStore(t, t.TempDir()), openStore(t)
	g, out, _, err := runScript(t, t.Context(), here, "write")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range g.Steps() {
		key := g.Key(s.ID)
		var packed bytes.Buffer
		if err := here.Pack(&packed, key); err != nil {
			t.Fatal(err)
		}
		for what, tc := range map[string]struct{ key, text string }{
			"another key":     {strings.Repeat("0", 64), packed.String()},
			"other content":   {key, strings.Replace(packed.String(), "./data/dir/file", "./data/dir/flie", 1)},
			"another record":  {key, strings.Replace(packed.String(), s.ID, strings.ToUpper(s.ID), 1)},
			"half an archive": {key, packed.String()[:packed.Len()/2]},
		} {
			if _, err := openStore(t).Unpack(strings.NewReader(tc.text), tc.key); err == nil && (tc.text != packed.String() || tc.key != key) {
				t.Errorf("%s with %s is unpacked", s.ID, what)
			}
		}
		if _, err := there.Unpack(bytes.NewReader(packed.Bytes()), key); err != nil {
			t.Fatal(err)
		}
		if got, want := treetest.Listing(t, there.Data(key)), treetest.Listing(t, here.Data(key)); !slices.Equal(got, want) {
			t.Errorf("%s: unpacked is\n%s\nwas\n%s", s.ID, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	_, other, sink, err := runScript(t, t.Context(), there, "write")
	if err != nil || len(other.Ran) > 0 || len(sink.of(event.StepCached)) == 0 {
		t.Fatalf("there %v ran, error %v", other.Ran, err)
	}
	if got, want := other.Results[scriptID], out.Results[scriptID]; got.Index != want.Index || got.Epoch != want.Epoch || got.Duration != want.Duration {
		t.Errorf("unpacked is %+v, was %+v", got, want)
	}
}

func mustLinks(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return uint64(st.Nlink)
}
