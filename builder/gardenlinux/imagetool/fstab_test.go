package imagetool

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const testFstab = `# <file system>  <dir>  <type>  <options>  <makeimg args>
LABEL=EFI          /boot/efi         vfat      umask=0077                               type=uefi,size=80M
LABEL=ROOT         /            ext4      rw,errors=remount-ro,prjquota,discard size=1024MiB
LABEL=VAR          /var         ext4      defaults,nosuid,noexec,nodev size=128MiB,final_partition
UUID=11111111-2222-3333-4444-555555555555       /var/log     ext4      defaults,nosuid,noexec,nodev
LABEL=VARLOGAUD    /var/log/audit     ext4      defaults,nosuid,noexec,nodev size=64MiB   # comment
LABEL=SWAP   none   swap   defaults  size=32M

LABEL=USR /usr ext4 ro`

// The order, and the text below, are what the Garden Linux builder makes of it.
func TestParseFstab(t *testing.T) {
	entries, err := ParseFstab(strings.NewReader(testFstab))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%d %s uuid=%s label=%s %s %d final=%t", e.Line, e.Target, e.UUID, e.Label, e.Type, e.Size>>20, e.Final))
	}
	want := []string{
		"6 /var/log/audit uuid= label=VARLOGAUD  64 final=false",
		"5 /var/log uuid=11111111-2222-3333-4444-555555555555 label=  0 final=false",
		"2 /boot/efi uuid= label=EFI uefi 80 final=false",
		"4 /var uuid= label=VAR  128 final=true",
		"9 /usr uuid= label=USR  0 final=false",
		"7 none uuid= label=SWAP  32 final=false",
		"3 / uuid= label=ROOT  1024 final=false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFstabText(t *testing.T) {
	entries, err := ParseFstab(strings.NewReader(testFstab))
	if err != nil {
		t.Fatal(err)
	}
	want := `LABEL=ROOT                                 /               ext4  rw,errors=remount-ro,prjquota,discard  0  0
LABEL=SWAP                                 none            swap  defaults                               0  0
LABEL=USR                                  /usr            ext4  ro                                     0  2
LABEL=VAR                                  /var            ext4  defaults,nosuid,noexec,nodev           0  2
LABEL=EFI                                  /boot/efi       vfat  umask=0077                             0  2
UUID=11111111-2222-3333-4444-555555555555  /var/log        ext4  defaults,nosuid,noexec,nodev           0  2
LABEL=VARLOGAUD                            /var/log/audit  ext4  defaults,nosuid,noexec,nodev           0  2
`
	if got := fstabText(entries); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := fstabText([]Entry{{Source: "LABEL=ROOT", Target: "/", FS: "ext4", Options: "rw"}}); got != "LABEL=ROOT  /  ext4  rw  0  1\n" {
		t.Errorf("the root alone: %q", got)
	}
}

func TestFstabFaults(t *testing.T) {
	for _, c := range []struct {
		fstab string
		want  []string // "line: part of the message"
	}{
		{"", []string{"0: no entries"}},
		{"# all of it is a comment\n\n", []string{"0: no entries"}},
		{"LABEL=A /a ext4 rw\n", []string{"0: no entry for /"}},
		{"LABEL=R / ext4\n", []string{"1: a line needs source, mount point, file system and options, and not 3 fields"}},
		{"LABEL=R / ext4 rw 0 1\n", []string{`1: "1" is too much`}},
		{"LABEL=R / btrfs rw size=0,grow\n", []string{`1: "0" is not a size`, `1: unknown argument "grow"`, `1: unknown file system "btrfs"`}},
		{"LABEL=R / ext4 rw\nLABEL=Q / ext4 rw\n", []string{"2: / is already mounted in line 1"}},
		{"LABEL=R / ext4 rw\nLABEL=A /a ext4 rw\nLABEL=B /a/ ext4 rw\n", []string{"3: /a is already mounted in line 2"}},
		{"LABEL=R / ext4 rw\nLABEL=R /a ext4 rw\n", []string{"2: the source LABEL=R is already in line 1"}},
		{"LABEL=R / ext4 rw final_partition\nLABEL=A /a ext4 rw final_partition\n", []string{"2: final_partition is already in line 1"}},
		{"LABEL=R / ext4 rw\nLABEL=S none swap sw\n", []string{"2: swap needs size="}},
		{"LABEL=R / ext4 rw\nLABEL=S /s swap sw size=1G\n", []string{"2: swap is not mounted"}},
		{"LABEL=R / ext4 rw\nLABEL=S none ext4 rw\n", []string{"2: the mount point \"none\" does not begin with /"}},
		{"LABEL=R / ext4 rw\nLABEL=S /a/../b ext4 rw\n", []string{"2: the mount point /a/../b is not written in the shortest way: /b"}},
		{"LABEL=R / ext4 rw\nLABEL=S /boot ext4 rw syslinux\n", []string{"2: syslinux is installed into vfat only"}},
		{"LABEL=R / ext4 rw\nLABEL=E /efi vfat rw type=a;b,type=\n", []string{`2: "a;b" is not a partition type`, `2: "" is not a partition type`}},
		{"UUID=12 / ext4 rw\nUUID=123 /efi vfat rw\n", []string{`1: "12" is not a UUID`, `2: "123" is not an identifier of a vfat`}},
		{"LABEL=ROOTISMUCHTOOLONG / ext4 rw\nLABEL=É /efi vfat rw\nLABEL= /b vfat rw\n",
			[]string{"1: the label ROOTISMUCHTOOLONG has 17 characters, but ext4 has space for 16", `2: "É" is not a label`, `3: "" is not a label`}},
	} {
		_, err := ParseFstab(strings.NewReader(c.fstab))
		var faults *FaultsError
		if !errors.As(err, &faults) {
			t.Errorf("%q: error %v", c.fstab, err)
			continue
		}
		ok := len(faults.Faults) == len(c.want)
		for i, want := range c.want {
			line, message, _ := strings.Cut(want, ": ")
			if ok {
				f := faults.Faults[i]
				ok = fmt.Sprint(f.Line) == line && strings.Contains(f.Message, message)
				ok = ok && (f.Line == 0 || f.Text == strings.TrimSpace(strings.Split(c.fstab, "\n")[f.Line-1]))
			}
		}
		if !ok {
			t.Errorf("%q: got\n%v\nwant %q", c.fstab, err, c.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"1": 1, "64MiB": 64 << 20, "500M": 500 << 20, "1G": 1 << 30, "10MB": 10_000_000, "3K": 3072, "2KB": 2000, "1T": 1 << 40,
		"": -1, "0": -1, "M": -1, "-1": -1, "+1G": -1, "1m": -1, "1.5G": -1, "1 G": -1, "99999999T": -1, "1B": -1, "99999999999999999": -1,
	} {
		got, err := parseSize(s)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
}

func FuzzParseFstab(f *testing.F) {
	f.Add(testFstab)
	f.Add("LABEL=R / ext4 rw 0 1\nUUID=1 /x//y vfat a type=,size=9E,syslinux")
	f.Fuzz(func(t *testing.T, s string) {
		entries, err := ParseFstab(strings.NewReader(s))
		if err != nil {
			return
		}
		roots := 0
		for i, e := range entries {
			if e.Root() {
				roots++
			}
			if i > 0 && e.depth() > entries[i-1].depth() {
				t.Errorf("%s comes after %s", e.Target, entries[i-1].Target)
			}
			for _, later := range entries[i+1:] {
				if later.below(e) {
					t.Errorf("%s comes after %s", later.Target, e.Target)
				}
			}
			if e.Size < 0 {
				t.Errorf("size %d", e.Size)
			}
		}
		if roots != 1 {
			t.Errorf("%d roots", roots)
		}
		if lines := strings.Count(fstabText(entries), "\n"); lines != len(entries) {
			t.Errorf("%d lines for %d entries", lines, len(entries))
		}
	})
}
