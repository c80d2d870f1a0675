package ostree

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReadHeads: with the heads of any file that is read, a new one is remembered,
// and none of another history is lost.
func FuzzReadHeads(f *testing.F) {
	f.Add([]byte(`[{"archive":"https://a","ref":"main","commit":"11"},{"ref":"main","commit":"22"}]`))
	f.Add([]byte(`[{},{},{"ref":"\ud800"}]`))
	f.Add([]byte("null"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, headsName)
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		names := Names{Ref: "main", ArchiveURL: "https://u:secret@a"}
		head := strings.Repeat("ab", 32)
		before, err := readHeads(dir)
		if err != nil {
			if RememberHeads(names, dir, History{Head: head}) == nil {
				t.Errorf("%q was %v, and is written over", raw, err)
			}
			return
		}
		if err := RememberHeads(names, dir, History{Head: head}); err != nil {
			t.Fatal(err)
		}
		now, err := readHeads(dir)
		if err != nil {
			t.Fatal(err)
		}
		want := []knownHead{{"https://a", "main", head}}
		for _, k := range before {
			if !slices.ContainsFunc(want, func(w knownHead) bool { return w.Archive == k.Archive && w.Ref == k.Ref }) {
				want = append(want, k)
			}
		}
		if !slices.Equal(now, want) {
			t.Errorf("%q came to %v, want %v", raw, now, want)
		}
	})
}

// FuzzReadRecord: a record that is read is the same when it is written and read
// again, and one byte that is changed makes it empty.
func FuzzReadRecord(f *testing.F) {
	sum := strings.Repeat("0a", 32)
	made := newRecord(map[string]string{"main": sum}, map[string]stamp{sum + ".commit": {1, 2, 3, 4, 5}, sum + "." + detached: {6, 7, 8, 9, 10}})
	path := filepath.Join(f.TempDir(), "record")
	for _, r := range []*record{made, newRecord(nil, made.stamps()), {}} {
		if err := r.write(path); err != nil {
			f.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if again := readRecord(path); !slices.Equal(again.objects, r.objects) || !maps.Equal(again.refs, r.refs) {
			f.Errorf("%+v is read as %+v", r, again)
		}
		f.Add(bytes.TrimPrefix(raw[:len(raw)-sha256.Size], []byte(recordHead)))
	}
	f.Add([]byte("x\n\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "record")
		body = append([]byte(recordHead), body...)
		sum := sha256.Sum256(body)
		raw := append(body, sum[:]...)
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		r := readRecord(path)
		if err := r.write(path); err != nil {
			t.Fatal(err)
		}
		if again := readRecord(path); !slices.Equal(again.objects, r.objects) || !maps.Equal(again.refs, r.refs) {
			t.Errorf("%q: %+v, and written out %+v", body, r, again)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if r := readRecord(path); len(r.objects) > 0 || len(r.refs) > 0 {
			t.Errorf("damaged: %+v", r)
		}
	})
}

// dictionary is an a{sv} of one entry, an ay, as ostree writes it.
func dictionary(key string, value []byte) []byte {
	// Each container ends with where its parts end, in as few bytes as its length takes.
	container := func(content []byte, end int) []byte {
		size := 1
		for len(content)+size > 1<<(8*size)-1 {
			size *= 2
		}
		return append(content, binary.LittleEndian.AppendUint64(nil, uint64(end))[:size]...)
	}
	entry := append([]byte(key), 0)
	keyEnd := len(entry)
	entry = append(entry, make([]byte, -len(entry)&7)...)
	entry = append(append(entry, value...), "\x00ay"...)
	entry = container(entry, keyEnd)
	return container(entry, len(entry))
}

// FuzzReadDetached: what ostree writes is taken, and what is taken is not changed.
func FuzzReadDetached(f *testing.F) {
	f.Add("ostree.gpgsigs", []byte("sig"), []byte(nil))
	f.Add("", bytes.Repeat([]byte("x"), 300), []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00s\x01\x0b"))
	f.Add("a", bytes.Repeat([]byte("x"), 70000), []byte("\x01"))
	f.Fuzz(func(t *testing.T, key string, value, raw []byte) {
		if utf8.ValidString(key) && !strings.Contains(key, "\x00") {
			whole := dictionary(key, value)
			if got, err := readDetached(bytes.NewReader(whole)); err != nil || !bytes.Equal(got, whole) {
				t.Errorf("%q is read as %q, %v", whole, got, err)
			}
		}
		if got, err := readDetached(bytes.NewReader(raw)); err == nil && !bytes.Equal(got, raw) {
			t.Errorf("%q is read as %q", raw, got)
		}
	})
}

// TestDetachedIsNotCut: of a file that is too large, nothing is taken, even if its
// beginning looks whole.
func TestDetachedIsNotCut(t *testing.T) {
	whole := dictionary("k", make([]byte, largestDetached-8-3-4-4))
	if len(whole) != largestDetached {
		t.Fatalf("%d bytes", len(whole))
	}
	if _, err := readDetached(bytes.NewReader(whole)); err != nil {
		t.Error(err)
	}
	if _, err := readDetached(bytes.NewReader(append(whole, 0))); err == nil {
		t.Error("the beginning is taken for all of it")
	}
}
