//go:build amongtools

package imagetool

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
)

// need fails a test where programs are missing, or e2fsprogs is older than the given
// version. These tests have a build tag, because few machines have all that they need:
// make e2e runs them among the tools of a system.
func need(t *testing.T, e2fsprogs string, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if !sandbox.Installed(p) {
			t.Fatalf("needs %s", p)
		}
	}
	var said bytes.Buffer
	if err := (sandbox.Command{Argv: []string{"mke2fs", "-V"}, Stderr: &said}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`mke2fs (\d+)\.(\d+)\.(\d+)`).FindStringSubmatch(said.String())
	if m == nil || version(m[1:]) < version(strings.Split(e2fsprogs, ".")) {
		t.Fatalf("needs e2fsprogs %s, and there is %s", e2fsprogs, strings.SplitN(said.String(), "\n", 2)[0])
	}
}

func version(parts []string) string { return fmt.Sprintf("%4s%4s%4s", parts[0], parts[1], parts[2]) }

// output runs a program and returns what it says.
func output(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := sandbox.Command{Argv: argv}.Output(t.Context())
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return string(out)
}

// testTree makes a small root file system; its files are made in one order or
// the other, and with other times.
func testTree(t *testing.T, reverse bool) string {
	t.Helper()
	root := t.TempDir()
	type file struct{ path, text string }
	files := []file{
		{"efi/EFI/BOOT/BOOTX64.EFI", strings.Repeat("efi", 100_000)}, {"efi/loader/entries/a long name.conf", "title x\n"}, {"efi/loader/loader.conf", "timeout 1\n"},
		{"etc/hostname", "host\n"}, {"usr/bin/tool", "#!/bin/sh\n"}, {"var/log/old", "then\n"},
	}
	for i := range 200 {
		files = append(files, file{fmt.Sprintf("usr/share/many/fïle-%d", i), strings.Repeat(fmt.Sprint(i), i)})
	}
	for i := range files {
		f := files[i]
		if reverse {
			f = files[len(files)-1-i]
		}
		path := filepath.Join(root, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(root, "usr/bin/tool"), filepath.Join(root, "usr/bin/again")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("tool", filepath.Join(root, "usr/bin/link")); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestExt4Times(t *testing.T) {
	need(t, "1.43.0", "mke2fs", "e2fsck", "debugfs")
	for _, options := range [][]string{{}, {"-O", "^metadata_csum"}, {"-O", "^metadata_csum,^64bit", "-I", "128"}, {"-b", "1024", "-O", "metadata_csum"}} {
		for _, timestamp := range []int64{0, 1_700_000_000, 5_000_000_000} {
			if timestamp > 1<<31 && slices.Contains(options, "128") {
				continue // there is no space for that in such inodes
			}
			t.Run(fmt.Sprint(options, timestamp), func(t *testing.T) {
				image := filepath.Join(t.TempDir(), "image")
				if err := os.WriteFile(image, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(image, 200*mib); err != nil {
					t.Fatal(err)
				}
				output(t, append(append([]string{"mke2fs", "-q", "-t", "ext4"}, options...), "-d", testTree(t, false), image)...)
				if err := setExt4Times(image, timestamp); err != nil {
					t.Fatal(err)
				}
				output(t, "e2fsck", "-f", "-n", image) // knows the checksums
				want := fmt.Sprintf("%08x", uint32(timestamp))
				times := regexp.MustCompile(`(?m)^ ?(?:a|c|m|cr)time: 0x([0-9a-f]{8})(?::([0-9a-f]{8}))?`)
				for _, file := range []string{"/", "<8>", "/lost+found", "/usr/bin/link", "/usr/share/many/fïle-100"} {
					stat := output(t, "debugfs", "-R", "stat "+file, image)
					found := times.FindAllStringSubmatch(stat, -1)
					if len(found) < 3 {
						t.Fatalf("%s: no times in\n%s", file, stat)
					}
					for _, m := range found {
						if m[1] != want || m[2] != "" && m[2] != fmt.Sprintf("%08x", (timestamp-int64(int32(timestamp)))>>32) {
							t.Errorf("%s: %s, want %s", file, m[0], want)
						}
					}
				}
			})
		}
	}
}

func TestExt4OtherArchitecture(t *testing.T) {
	need(t, "1.43.0", "mke2fs", "e2fsck", "debugfs", "dumpe2fs")
	source := testTree(t, false)
	for arch, want := range map[string]string{"amd64": "signed_directory_hash", "arm64": "unsigned_directory_hash"} {
		image := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(image, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(image, 64*mib); err != nil {
			t.Fatal(err)
		}
		if err := (Ext4{Source: source, Target: image, HashPrefix: "ext4", Arch: arch}).Make(t.Context()); err != nil {
			t.Fatal(err)
		}
		output(t, "e2fsck", "-f", "-n", image)
		if head := output(t, "dumpe2fs", "-h", image); !strings.Contains(head, " "+want) {
			t.Errorf("%s: no %s in\n%s", arch, want, head)
		}
	}
}

func TestNoExt4(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(file, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := setExt4Times(file, 0); err == nil || !strings.Contains(err.Error(), "this is not an ext4") {
		t.Errorf("error %v", err)
	}
}

const smallFstab = `LABEL=EFI /efi vfat umask=0077 type=uefi
LABEL=ROOT / ext4 rw size=30M
LABEL=USR /usr ext4 ro
LABEL=SWAP none swap sw size=1M,final_partition
`

// TestDiskIsReproducible makes a disk three times: of a copy, of a tree that is
// consumed, and of one whose files were made the other way round.
func TestDiskIsReproducible(t *testing.T) {
	need(t, "1.47.1", "mke2fs", "resize2fs", "tune2fs", "e2fsck", "mformat", "mcopy", "fsck.fat", "mkswap", "sfdisk")
	first := ""
	for i, c := range []struct{ reverse, consume bool }{{false, false}, {false, true}, {true, false}} {
		temp := t.TempDir()
		tools := Tools{Temp: temp, Path: os.Getenv("PATH")}
		m := MakePart{Tools: tools, Rootfs: testTree(t, c.reverse), Consume: c.consume, Arch: "amd64", Version: "1.0", Timestamp: 1_700_000_000}
		entries, err := ParseFstab(strings.NewReader(smallFstab))
		if err != nil {
			t.Fatal(err)
		}
		parts, err := m.Run(t.Context(), entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			switch {
			case p.Label == "EFI":
				output(t, "fsck.fat", "-n", p.File)
			case p.Type != "swap":
				output(t, "e2fsck", "-f", "-n", p.File)
			}
		}
		d := MakeDisk{Tools: tools, Image: filepath.Join(temp, "disk"), Partitions: parts}
		if err := d.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) != 1 {
			t.Errorf("left: %v, %v", left, err)
		}
		if _, err := os.Stat(filepath.Join(m.Rootfs, "usr/bin/tool")); (err != nil) != c.consume {
			t.Errorf("consume %t: %v", c.consume, err)
		}
		if _, err := os.Stat(filepath.Join(m.Rootfs, "etc/fstab")); (err == nil) != c.consume {
			t.Errorf("consume %t: fstab: %v", c.consume, err)
		}
		image, err := os.Open(d.Image)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := UUIDHash(image)
		image.Close()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = sum
		} else if sum != first {
			t.Errorf("disk %d (%+v) differs from the first", i, c)
		}
	}
}

// TestMakePartLeavesNothing fails in the midst: sizes of 1 MiB do not hold the
// files.
func TestMakePartLeavesNothing(t *testing.T) {
	need(t, "1.43.0", "mke2fs", "tune2fs")
	temp := t.TempDir()
	m := MakePart{Tools: Tools{Temp: temp}, Rootfs: testTree(t, false), Arch: "amd64", Version: "1.0"}
	entries, err := ParseFstab(strings.NewReader("LABEL=V /var/log ext4 rw size=30M\nLABEL=R / ext4 rw size=1M"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), entries); err == nil || !strings.Contains(err.Error(), "partition for /: make ext4") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
