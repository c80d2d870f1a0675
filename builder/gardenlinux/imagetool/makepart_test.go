package imagetool

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The numbers are what the Garden Linux builder's awk programs give.
func TestSizes(t *testing.T) {
	for bytes, want := range map[int64]int64{
		0: 64, 10 * mib: 64, 42 * mib: 64, 42*mib + mib/2: 64, 43 * mib: 65, 44 * mib: 67, 44*mib - 1: 66, 100*mib + 1: 151, 3_000_000_001: 4292,
	} {
		if got := computedSize(bytes) / mib; got != want {
			t.Errorf("%d bytes of files: %d MiB, want %d", bytes, got, want)
		}
	}
	for bytes, want := range map[int64]int64{0: 1, 1: 1, mib - 1: 1, mib: 2, 64 * mib: 65, 64*mib + 1: 65} {
		if got := wholeMiB(bytes); got != want {
			t.Errorf("%d bytes: %d MiB, want %d", bytes, got, want)
		}
	}
}

func TestApparentSize(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a", "sub/b"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "sub/again")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("12345", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if got, err := apparentSize(dir); err != nil || got != 2005 {
		t.Errorf("%d, %v, want 2005", got, err)
	}
}

func TestCheckTargets(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "var/log"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"boot": "/", "var/run": "/run"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := ParseFstab(strings.NewReader(`LABEL=R / ext4 rw
LABEL=L /var/log ext4 rw
LABEL=E /efi vfat rw
LABEL=B /boot/efi vfat rw
LABEL=U /var/run ext4 rw`))
	if err != nil {
		t.Fatal(err)
	}
	want := `fstab: line 3: the root file system has no directory /efi: LABEL=E /efi vfat rw
fstab: line 4: /boot is not a directory in the root file system: LABEL=B /boot/efi vfat rw
fstab: line 5: /var/run is not a directory in the root file system: LABEL=U /var/run ext4 rw`
	if _, err := (MakePart{Rootfs: root}).Run(t.Context(), entries); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestPartitionTypes(t *testing.T) {
	root := Entry{Target: "/", FS: "ext4"}
	for _, c := range []struct {
		arch  string
		entry Entry
		want  string
	}{
		{"amd64", root, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"},
		{"arm64", root, "b921b045-1df0-41c3-af44-4c6f280d3fae"},
		{"riscv64", root, "linux"},
		{"amd64", Entry{Target: "/", FS: "ext4", Type: "x"}, "x"},
		{"amd64", Entry{Target: "/var", FS: "ext4"}, "linux"},
		{"amd64", Entry{Target: "none", FS: "swap"}, "swap"},
	} {
		if got := (MakePart{Arch: c.arch}).partitionType(c.entry); got != c.want {
			t.Errorf("%s %+v: %s, want %s", c.arch, c.entry, got, c.want)
		}
	}
}

// A /usr of its own is made, and with it syslinux gone from the tree, after the
// partitions on which syslinux is installed.
func TestSyslinuxComesFirst(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	entries, err := ParseFstab(strings.NewReader(`LABEL=R / ext4 rw
LABEL=U /usr ext4 rw
LABEL=L /usr/lib ext4 rw
LABEL=E /efi vfat rw
LABEL=S /efi/sub ext4 rw
LABEL=X /efix vfat rw`))
	if err != nil {
		t.Fatal(err)
	}
	order := func() (targets []string) {
		for _, e := range (MakePart{Rootfs: root}).order(entries) {
			targets = append(targets, e.Target)
		}
		return targets
	}
	if got, want := order(), []string{"/efi/sub", "/usr/lib", "/efix", "/usr", "/efi", "/"}; !slices.Equal(got, want) {
		t.Errorf("without syslinux: %v, want %v", got, want)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/bin/syslinux"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, want := order(), []string{"/efi/sub", "/efi", "/usr/lib", "/efix", "/usr", "/"}; !slices.Equal(got, want) {
		t.Errorf("with syslinux: %v, want %v", got, want)
	}
}

func TestWriteFstab(t *testing.T) {
	tree, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(filepath.Join(tree, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(tree, "etc/fstab")); err != nil {
		t.Fatal(err)
	}
	if err := writeFstab(tree, "text\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(tree, "etc/fstab")); err != nil || string(got) != "text\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a file outside of the tree was written")
	}
}

func TestMakeDiskFaults(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 2*mib+1); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(dir, "image")
	d := MakeDisk{Image: image, Partitions: []Partition{{MiB: 2, File: large}, {MiB: 1, File: filepath.Join(dir, "none")}, {MiB: 1, File: dir}}}
	err := d.Run(t.Context())
	for _, want := range []string{"partition 1 of 2 MiB: " + large + " is larger", "partition 2: stat", "partition 3: " + dir + " is not a regular file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := os.WriteFile(image, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Partitions = []Partition{{MiB: 3, File: large}}
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "file exists") {
		t.Errorf("error %v for an image that exists", err)
	}
	if got, err := os.ReadFile(image); err != nil || string(got) != "mine" {
		t.Errorf("the image that existed is %q, %v", got, err)
	}
}

func TestBootCode(t *testing.T) {
	root := t.TempDir()
	if code, err := BootCode(root, []Partition{{}}); code != nil || err != nil {
		t.Errorf("%v, %v without syslinux", code, err)
	}
	if _, err := BootCode(root, []Partition{{}, {Syslinux: true}}); err == nil || !strings.Contains(err.Error(), "syslinux-common") {
		t.Errorf("error %v", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "usr/lib/SYSLINUX"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "usr/lib/SYSLINUX/gptmbr.bin"), make([]byte, 500), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, err := BootCode(root, []Partition{{Syslinux: true}}); len(code) != 440 || err != nil {
		t.Errorf("%d bytes, %v", len(code), err)
	}
}
