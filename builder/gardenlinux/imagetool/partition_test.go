package imagetool

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const testLines = `2477b85f-bc4a-8989-7151-a6fc3e51fc42	linux	65	0	/tmp/a	VARLOGAUD
963f30c3-ce0e-6bfd-daed-77167fc045e2	linux	26	0	/tmp/b
7c99c2c2-0d29-0816-586b-a7f8301b49b4	uefi	81	1	/tmp/c	EFI
`

func TestPartitionLines(t *testing.T) {
	parts, err := ParsePartitions(strings.NewReader(testLines))
	if err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	for _, p := range parts {
		again.WriteString(p.String() + "\n")
	}
	// The Garden Linux builder, too, ends the line of a partition without a label with a tab.
	if want := strings.Replace(testLines, "/tmp/b\n", "/tmp/b\t\n", 1); again.String() != want {
		t.Errorf("got\n%s", again.String())
	}
	d := MakeDisk{Partitions: parts}
	want := `label: gpt
label-id: 548a386f-7e35-e144-edcc-434f72c026f9
uuid=2477b85f-bc4a-8989-7151-a6fc3e51fc42, type=linux, size=65MiB, name="VARLOGAUD"
uuid=963f30c3-ce0e-6bfd-daed-77167fc045e2, type=linux, size=26MiB
uuid=7c99c2c2-0d29-0816-586b-a7f8301b49b4, type=uefi, size=81MiB, name="EFI", attrs=LegacyBIOSBootable
`
	if got := d.script(); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := d.size(); got != 174<<20 {
		t.Errorf("the disk has %d bytes", got)
	}
}

func TestPartitionFaults(t *testing.T) {
	line := "2477b85f-bc4a-8989-7151-a6fc3e51fc42\tlinux\t65\t0\t/tmp/a\tA\n"
	for input, want := range map[string]string{
		"":                                  "there are none",
		"\n":                                "there are none",
		line + line:                         "line 2: this UUID is already in line 1",
		strings.ReplaceAll(line, "\t", " "): "line 1: UUID, type, MiB, syslinux, file and perhaps label are needed, with tabs between, not 1 fields",
		strings.ReplaceAll(line, "linux", "linux,x"):    `"linux,x" is not a partition type`,
		strings.ReplaceAll(line, "65", "65MiB"):         `"65MiB" is not a number of MiB`,
		strings.ReplaceAll(line, "65", "0"):             `"0" is not a number of MiB`,
		strings.ReplaceAll(line, "\t0\t", "\tyes\t"):    "syslinux is 0 or 1",
		strings.ReplaceAll(line, "2477b85f", "2477"):    "is not a UUID",
		strings.ReplaceAll(line, "\tA\n", "\tA\", x\n"): "cannot be a partition's name",
	} {
		_, err := ParsePartitions(strings.NewReader(input))
		var faults *FaultsError
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", input, err, want)
		}
	}
}

func TestParseDump(t *testing.T) {
	got, err := parseDump(strings.NewReader(`label: gpt
label-id: 548A386F-7E35-E144-EDCC-434F72C026F9
device: /work/x.img
unit: sectors
first-lba: 2048
last-lba: 3174366
sector-size: 512

/work/x.img1 : start=        2048, size=      133120, type=0FC63DAF, uuid=2477B85F, name="A: start= 1, size= 1,"
/work/x.img2 : start=      135168, size=       53248, type=0FC63DAF, uuid=963F30C3
`))
	if want := []extent{{2048 * 512, 133120 * 512}, {135168 * 512, 53248 * 512}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func FuzzParsePartitions(f *testing.F) {
	f.Add(testLines)
	f.Add("a\tb\t-1\t2\t\tc\td\te")
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := ParsePartitions(strings.NewReader(s))
		if err != nil {
			return
		}
		d := MakeDisk{Partitions: parts}
		if lines := strings.Count(d.script(), "\n"); lines != len(parts)+2 {
			t.Errorf("%d lines for %d partitions:\n%s", lines, len(parts), d.script())
		}
		for _, p := range parts {
			again, err := ParsePartitions(strings.NewReader(p.String()))
			if err != nil || !slices.Equal(again, []Partition{p}) {
				t.Errorf("%+v became %+v, %v", p, again, err)
			}
		}
	})
}
