package imagetool

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// runProgram runs one of the programs in an empty environment.
func runProgram(t *testing.T, name, input string, args ...string) (string, error) {
	t.Helper()
	for _, p := range Programs() {
		if p.Name == name {
			var out, errs bytes.Buffer
			err := p.Run(t.Context(), args, func(string) string { return "" }, Streams{strings.NewReader(input), &out, &errs})
			return out.String(), err
		}
	}
	t.Fatalf("there is no program %s", name)
	return "", nil
}

func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line, out, err string // DIR and FILE in the line mean a directory and a file
	}{
		{"uuid_hash", "e3b0c442-98fc-1c14-9afb-f4c8996fb924\n", ""},
		{"uuid_hash x", "", "arguments after the options: 1 instead of 0; usage: uuid_hash"},
		{"make_reproducible_ext4", "", "after the options: 0 instead of"},
		{"make_reproducible_ext4 -h", "", "-h needs a value"},
		{"make_reproducible_ext4 -x DIR FILE", "", "unknown option -x"},
		{"make_reproducible_ext4 -t never DIR FILE", "", `-t: "never" is not a time in seconds since 1970`},
		{"make_reproducible_ext4 -p -1 DIR FILE", "", `-p: "-1" is not a whole number`},
		{"make_reproducible_ext4 FILE DIR", "", "file is not a directory"},
		{"make_reproducible_ext4 DIR DIR", "", "is not a regular file"},
		{"make_reproducible_vfat FILE FILE", "", "is not a directory"},
		{"make_reproducible_vfat -u 12 DIR FILE", "", `"12" is not a volume identifier`},
		{"make_reproducible_swap", "", "after the options: 0 instead of"},
		{"makepart", "", "usage: makepart [--consume] ROOTFS"},
		{"makepart DIR", "", "the variable BUILDER_ARCH is not set\nthe variable BUILDER_VERSION is not set\nthe variable BUILDER_TIMESTAMP is not set"},
		{"makedisk DIR FILE", "", "partitions: there are none"},
		{"mv_data --input FILE", "", "--input and --output are needed"},
		{"mv_data --input=FILE --output FILE2 --length=x", "", `--length: "x" is not a whole number`},
		{"mv_data --input=FILE --output DIR/new --input-offset=0", "", ""},
		{"resizefat32", "", "files: 0 instead of 1; usage: resizefat32"},
		{"resizefat32 -s 1Q FILE", "", `"1Q" is not a size`},
		{"resizefat32 FILE", "", "file: too small for a FAT32 volume"},
		{"resizefat32 --help", "resizefat32 [-s min|max|SIZE] [-t] FILE\n\nChange the size of a FAT32 volume.\n", ""},
	} {
		words := strings.Fields(strings.NewReplacer("DIR", dir, "FILE", file).Replace(c.line))
		out, err := runProgram(t, words[0], "", words[1:]...)
		if out != c.out {
			t.Errorf("%s: output %q, want %q", c.line, out, c.out)
		}
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v, want %q", c.line, err, c.err)
		}
	}
}

func TestHashPrefixes(t *testing.T) {
	prefix := "ext4"
	var on bool
	o := optionParser{values: map[string]func(string) error{"-h": prefixOption(&prefix)}, switches: map[string]*bool{"-q": &on}}
	rest, err := o.parse([]string{"-h", "b", "-q", "-h", "a", "source", "-h"}, 2)
	if err != nil || prefix != "a:b:ext4" || !on || !reflect.DeepEqual(rest, []string{"source", "-h"}) {
		t.Errorf("%q %t %v %v", prefix, on, rest, err)
	}
}

func TestResizeOptions(t *testing.T) {
	for line, want := range map[string]ResizeFAT32{
		"f":               {File: "f"},
		"-s min -t f":     {File: "f", Mode: FATMin, Truncate: true},
		"f -ts 10M":       {File: "f", Mode: FATSize, Size: 10 * mib, Truncate: true},
		"-smax -t -- -f":  {File: "-f", Truncate: true},
		"-s 1024 -s 2K f": {File: "f", Mode: FATSize, Size: 2048},
	} {
		if got, err := parseResize(strings.Fields(line)); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{"-h", "-s", "f g", "-s -1 f", "-x f"} {
		if got, err := parseResize(strings.Fields(line)); err == nil {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
