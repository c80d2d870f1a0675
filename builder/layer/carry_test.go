package layer

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sys/unix"
)

// TestSweepFiles: files that a program was about to use beside the drafts, and left when it was killed, stop no build.
func TestSweepFiles(t *testing.T) {
	s := openTest(t)
	young, old := filepath.Join(s.root, "drafts", ".push-young"), filepath.Join(s.root, "drafts", ".push-old")
	put(t, young, "half")
	put(t, old, "half")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(); n != 1 || err != nil {
		t.Errorf("swept %d, error %v", n, err)
	}
	if got := names(t, filepath.Join(s.root, "drafts")); len(got) != 1 || got[0] != filepath.Base(young) {
		t.Errorf("left are %v", got)
	}
}

// TestUnpackFails: a result that cannot be stored leaves nothing on the disk, which is full perhaps.
func TestUnpackFails(t *testing.T) {
	s, there := openTest(t), openTest(t)
	d := begin(t, s, testKey)
	put(t, filepath.Join(d.Data, "file"), "content")
	if err := d.Commit(Result{}); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := s.Pack(&packed, testKey); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(there.root, "results")); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Unpack(&packed, testKey); err == nil {
		t.Error("it is stored")
	}
	if got := names(t, filepath.Join(there.root, "drafts")); len(got) > 0 {
		t.Errorf("left are %v", got)
	}
}

// TestUnpackFull: the error of a full disk has an advice.
func TestUnpackFull(t *testing.T) {
	_, err := openTest(t).Unpack(iotest.ErrReader(unix.ENOSPC), testKey)
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "cache prune") {
		t.Error(err)
	}
}

// TestUnpackArtifacts: the record's artifacts are files of the index, with its digests. Artifacts are
// published by the record alone.
func TestUnpackArtifacts(t *testing.T) {
	sum := hashBytes([]byte("content"))
	for name, tc := range map[string]struct {
		file File
		ok   bool
	}{
		"good":      {File{Path: "dir/file", Size: 7, SHA256: sum}, true},
		"directory": {File{Path: "dir", Size: 4096}, true},
		"all":       {File{Path: "."}, true},
		"digest":    {File{Path: "dir/file", Size: 7, SHA256: hashBytes([]byte("other"))}, false},
		"outside":   {File{Path: "../log", Size: 1}, false},
		"no file":   {File{Path: "dir/other", Size: 1}, false},
		"link":      {File{Path: "link", Size: 1}, false},
	} {
		s := openTest(t)
		d := begin(t, s, testKey)
		put(t, filepath.Join(d.Data, "dir/file"), "content")
		if err := os.Symlink("/etc/shadow", filepath.Join(d.Data, "link")); err != nil {
			t.Fatal(err)
		}
		if err := d.Commit(Result{}); err != nil {
			t.Fatal(err)
		}
		// Another program can write whatever it likes, with the sum that belongs to it.
		r, _, err := s.Get(testKey)
		if err != nil {
			t.Fatal(err)
		}
		r.Files = []File{tc.file}
		raw, err := seal(r)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(s.dir(testKey), resultFile), string(raw))
		var packed bytes.Buffer
		if err := s.Pack(&packed, testKey); err != nil {
			t.Fatal(err)
		}
		if _, err := openTest(t).Unpack(&packed, testKey); (err == nil) != tc.ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
