package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
)

// runMain runs a command line and returns its exit code and what it wrote.
func runMain(t *testing.T, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	return runMainOn(t, nil, input, args...)
}

// runMainOn is runMain on something else than this machine.
func runMainOn(t *testing.T, backend *build.Backend, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	open := func(name, text string) *os.File {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	s := Streams{In: open("in", input), Out: open("out", ""), Err: open("err", "")}
	code = runOn(backend, append([]string{"treewright"}, args...), s)
	read := func(f *os.File) string {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return code, read(s.Out), read(s.Err)
}

func TestVerbatimVerbs(t *testing.T) {
	t.Setenv("BUILDER_ARCH", "amd64")
	t.Setenv("BUILDER_VERSION", "1.0")
	t.Setenv("BUILDER_TIMESTAMP", "1700000000")
	dir := t.TempDir()
	for _, c := range []struct {
		args, input string
		code        int
		out, errs   string
	}{
		{"uuid_hash", "abc", exitOK, "ba7816bf-8f01-cfea-4141-40de5dae2223\n", ""},
		// As ./build calls it, and with options that are others elsewhere.
		{"-C " + dir + " make_reproducible_swap -h a -l", "", exitFailed, "", "make_reproducible_swap: -l needs a value; usage: make_reproducible_swap "},
		{"resizefat32 -s", "", exitFailed, "", "resizefat32: -s needs a value; "},
		{"makepart " + dir, "LABEL=A /a btrfs rw\n", exitFailed, "", "makepart: fstab: there is no entry for /\n" +
			`makepart: fstab: line 1: unknown file system "btrfs": there are ext4, vfat and swap: LABEL=A /a btrfs rw` + "\n"},
		{"makedisk " + dir + " " + dir + "/image", "x\n", exitFailed, "", "makedisk: partitions: line 1: UUID, type"},
	} {
		code, out, errs := runMain(t, c.input, strings.Fields(c.args)...)
		if code != c.code || out != c.out || !strings.HasPrefix(errs, c.errs) {
			t.Errorf("%s: exit code %d, want %d; output %q, want %q; errors\n%swant\n%s", c.args, code, c.code, out, c.out, errs, c.errs)
		}
	}
}
