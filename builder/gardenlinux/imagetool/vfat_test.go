package imagetool

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Links become copies of what they lead to, but inside of directories only those
// that lead to files.
func TestVFATListing(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{"b", "EFI/BOOT/BOOTX64.EFI", "EFI/z", "EFI/a [1].conf"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"a": "EFI/z", "copy": "EFI/BOOT", "EFI/circle": ".."} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := VFAT{Source: root}.listing()
	want := []fatDirectory{
		{"", []string{"a", "b"}, []string{"EFI", "copy"}},
		{"EFI", []string{"a [1].conf", "z"}, []string{"BOOT"}},
		{"EFI/BOOT", []string{"BOOTX64.EFI"}, nil},
		{"copy", []string{"BOOTX64.EFI"}, nil},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestVFATFaults(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{"efi/x", "EFI/x", "sub/a:b", "sub/trailing.", "f[1]/x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"away": "/etc/hostname", "dangling": "nowhere", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := VFAT{Source: root}.listing()
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		`/efi: on a FAT this name is the same as "EFI"`, "/sub/a:b: FAT does not allow this name", "/sub/trailing.: FAT does not allow", "/f[1]: FAT does not allow",
		"/away: FAT has no symbolic links", "/dangling: FAT has", "/loop: FAT has",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if len(lines) != 7 {
		t.Errorf("%d faults:\n%v", len(lines), err)
	}
}
