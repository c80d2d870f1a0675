package format

import (
	"bytes"
	"testing"

	"github.com/treewright/treewright/builder/objects"
)

// TestOSTreeSignatures: what is written is read again, whatever the sizes of offsets, and
// other entries stay.
func TestOSTreeSignatures(t *testing.T) {
	for _, sizes := range [][]int{{}, {1}, {119, 566}, {70000, 3, 0}} {
		var want [][]byte
		for i, n := range sizes {
			want = append(want, bytes.Repeat([]byte{byte('a' + i)}, n))
		}
		raw, err := WithOSTreeSignatures(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckOSTreeMetadata(raw); err != nil {
			t.Error(sizes, err)
		}
		got, err := OSTreeSignatures(raw)
		if err != nil || len(got) != len(want) {
			t.Fatal(sizes, len(got), err)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Error(sizes, i)
			}
		}
		again, err := WithOSTreeSignatures(raw, want)
		if err != nil || !bytes.Equal(again, raw) {
			t.Error(sizes, "changed when written again", err)
		}
	}
	other := gvariantContainer([][]byte{objects.WithOffsets(append(padded([]byte("k\x00"), 8), "value\x00\x00s"...), 2)}, 8)
	raw, err := WithOSTreeSignatures(other, [][]byte{[]byte("sig")})
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	if err := readMetadata(raw, entries); err != nil || entries["k"] != "value" {
		t.Error(entries, err)
	}
	if got, err := OSTreeSignatures(raw); err != nil || len(got) != 1 || string(got[0]) != "sig" {
		t.Error(got, err)
	}
	for _, bad := range []string{"x", "\xff\xff", "ostree.gpgsigs\x00\x00\x00abc\x0f\x13"} {
		if got, err := OSTreeSignatures([]byte(bad)); err == nil && got != nil {
			t.Errorf("%q gives %q", bad, got)
		}
	}
}

// FuzzOSTreeSignatures: no bytes make it panic.
func FuzzOSTreeSignatures(f *testing.F) {
	raw, _ := WithOSTreeSignatures(nil, [][]byte{[]byte("one"), []byte("two")})
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		signatures, err := OSTreeSignatures(b)
		if err != nil {
			return
		}
		if _, err := WithOSTreeSignatures(b, signatures); err != nil {
			t.Error("read, but not written", err)
		}
	})
}
