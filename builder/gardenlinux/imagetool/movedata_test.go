package imagetool

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// blocks is the space a file takes in bytes.
func blocks(t *testing.T, file string) int64 {
	t.Helper()
	var s unix.Stat_t
	if err := unix.Stat(file, &s); err != nil {
		t.Fatal(err)
	}
	return s.Blocks * 512
}

// sparse makes a file of 64 MiB with data at 1 MiB and at 40 MiB.
func sparse(t *testing.T, file string) []byte {
	t.Helper()
	data := make([]byte, 64*mib)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(len(data))); err != nil {
		t.Fatal(err)
	}
	for at, text := range map[int64]string{1 * mib: "first", 40 * mib: "second"} {
		piece := bytes.Repeat([]byte(text), 400_000)
		copy(data[at:], piece)
		if _, err := f.WriteAt(piece, at); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestMove(t *testing.T) {
	for _, c := range []struct {
		name                string
		in, out, length     int64
		filled              int64 // bytes that are in the output before
		wantIn, wantOutSize int64 // the bytes moved, the output's size
	}{
		{"all of it", 0, 0, -1, 0, 64 * mib, 64 * mib},
		{"into the midst", 0, 10 * mib, -1, 80 * mib, 64 * mib, 80 * mib},
		{"a part that ends in data", 2 * mib, 4096, 39 * mib, 0, 39 * mib, 39*mib + 4096},
		{"more than there is", 50 * mib, 0, 100 * mib, 1, 14 * mib, 14 * mib},
		{"nothing", 5, 5, 0, 3, 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			m := Move{filepath.Join(dir, "in"), filepath.Join(dir, "out"), c.in, c.out, c.length}
			before := sparse(t, m.Input)
			old := bytes.Repeat([]byte("x"), int(c.filled))
			if err := os.WriteFile(m.Output, old, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := m.Run(); err != nil {
				t.Fatal(err)
			}
			in, err := os.ReadFile(m.Input)
			if err != nil {
				t.Fatal(err)
			}
			out, err := os.ReadFile(m.Output)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]byte, c.wantOutSize)
			copy(want, old)
			copy(want[min(c.out, c.wantOutSize):], before[c.in:c.in+c.wantIn])
			if !bytes.Equal(out, want) {
				t.Errorf("the output, %d bytes, is not what it should be, %d bytes", len(out), len(want))
			}
			left := bytes.Clone(before)
			clear(left[c.in : c.in+c.wantIn])
			if !bytes.Equal(in, left) {
				t.Error("the input keeps something else than what was not moved")
			}
			if room := blocks(t, m.Output); room > c.filled+5*mib {
				t.Errorf("the output takes %d bytes: its holes are gone", room)
			}
			if c.length < 0 && blocks(t, m.Input) > mib/8 {
				t.Errorf("the input still takes %d bytes", blocks(t, m.Input))
			}
		})
	}
}

func TestMoveFaults(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	before := sparse(t, in)
	for want, m := range map[string]Move{
		"nothing is at offset": {Input: in, Output: out, InputOffset: 65 * mib, Length: -1},
		"overlap":              {Input: in, Output: in, OutputOffset: mib, Length: 2 * mib},
		"negative":             {Input: in, Output: out, InputOffset: -1},
		"no such file":         {Input: in + "x", Output: out, Length: -1},
	} {
		if err := m.Run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if after, err := os.ReadFile(in); err != nil || !bytes.Equal(before, after) {
		t.Error("the input has changed", err)
	}
}
