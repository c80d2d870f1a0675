package layer

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPackSparse: the archive does not have the long runs of zeros of a file, at any place in the file, with or without holes on the disk.
func TestPackSparse(t *testing.T) {
	const mib = 1 << 20
	content := func(size int64, parts ...part) []byte {
		all := make([]byte, size)
		for _, p := range parts {
			copy(all[p.offset:], bytes.Repeat([]byte("x"), int(p.length)))
		}
		return all
	}
	for name, tc := range map[string]struct {
		content []byte
		most    int // bytes of the archive
	}{
		"empty":             {content(0), 8 << 10},
		"small":             {content(5000, part{4000, 10}), 16 << 10},
		"only zeros":        {content(9 * mib), 8 << 10},
		"at the start":      {content(9*mib, part{8 * mib, mib}), mib + 16<<10},
		"in the middle":     {content(9*mib, part{0, 1}, part{9*mib - 1, 1}), 140 << 10},
		"at the end":        {content(9*mib+17, part{5, 100}), 80 << 10},
		"a short run":       {content(3*mib, part{0, mib}, part{mib + 512<<10, mib + 512<<10}), 3*mib + 8<<10},
		"an odd place":      {content(9*mib, part{3*mib + 77, 200}), 80 << 10},
		"short at the ends": {content(2*mib, part{512 << 10, mib}), 2*mib + 8<<10},
	} {
		packed := func(dir string) []byte {
			var b bytes.Buffer
			if err := pack(&b, dir); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, tc.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := setTime(file, time.Unix(1000, 0)); err != nil {
			t.Fatal(err)
		}
		if err := setTime(dir, time.Unix(1000, 0)); err != nil {
			t.Fatal(err)
		}
		first := packed(dir)
		if len(first) > tc.most {
			t.Errorf("%s: the archive has %d bytes, want at most %d", name, len(first), tc.most)
		}
		out := t.TempDir()
		if err := unpack(bytes.NewReader(first), out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := os.ReadFile(filepath.Join(out, "file"))
		if err != nil || !bytes.Equal(got, tc.content) {
			t.Errorf("%s: unpacked as %d bytes, error %v, want the %d bytes", name, len(got), err, len(tc.content))
		}
		// The unpacked file has holes, and is packed to the same bytes.
		if again := packed(out); !bytes.Equal(first, again) {
			t.Errorf("%s: the packed bytes of the copy with holes differ: %d bytes", name, len(again))
		}
	}
}

// TestDamagedSparse: a record that does not agree with the content is refused, and does not make a large file.
func TestDamagedSparse(t *testing.T) {
	for _, record := range []string{"", "x", "10", "10 0+4", "10 0+6", "10 8+5", "10 2+3 1+2", "10 -1+5", "10 0+5 ", "99999999999999 0+5", "9223372036854775807 9223372036854775803+5", "10 0+-5"} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range []*tar.Header{
			{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755, Format: tar.FormatPAX},
			{Typeflag: tar.TypeReg, Name: "./f", Mode: 0o644, Size: 5, Format: tar.FormatPAX, PAXRecords: map[string]string{sparseRecord: record}},
		} {
			if record == "" && h.Size > 0 {
				h.PAXRecords[sparseRecord] = " "
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if h.Size > 0 {
				if _, err := w.Write([]byte("hello")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := unpack(&b, dir); err == nil {
			t.Errorf("the record %q is accepted", record)
		}
		var st unix.Stat_t
		if unix.Lstat(filepath.Join(dir, "f"), &st) == nil && st.Size > 10 {
			t.Errorf("the record %q makes a file of %d bytes", record, st.Size)
		}
	}
}
