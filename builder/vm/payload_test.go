package vm

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPayload(t *testing.T) {
	dir := t.TempDir()
	test := filepath.Join(dir, "base", "test")
	if err := os.MkdirAll(filepath.Join(test, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"b": 0o755, "a": 0o700, "lib.bash": 0o644, "data/x": 0o600} {
		if err := os.WriteFile(filepath.Join(test, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	tests, err := FindTests("base", filepath.Join(dir, "base"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b"}; !slices.Equal(tests.Names, want) {
		t.Errorf("the tests are %q, not %q", tests.Names, want)
	}
	none, err := FindTests("none", filepath.Join(dir, "none"), nil)
	if err != nil || len(none.Names) > 0 {
		t.Errorf("a feature without tests has %q, %v", none.Names, err)
	}

	s := &Session{Job: Job{Dir: filepath.Join(dir, "job")}}
	if err := s.WritePayload([]Tests{tests, none}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(s.Job.Shared(), payloadFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size()%512 != 0 {
		t.Errorf("%d bytes are not whole number of sectors, %v", info.Size(), err)
	}
	got := map[string]int64{}
	for r := tar.NewReader(file); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = h.Mode
	}
	want := map[string]int64{"agent": 0o755, "base/test/a": 0o755, "base/test/b": 0o755, "base/test/lib.bash": 0o644, "base/test/data/x": 0o644}
	if len(got) != len(want) {
		t.Errorf("the disk has %v", got)
	}
	for name, mode := range want {
		if got[name] != mode {
			t.Errorf("%s has mode %o, not %o", name, got[name], mode)
		}
	}
}
