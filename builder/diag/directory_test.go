package diag

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDirectory: the reason why a directory cannot be used is reported with what to type.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(err error) error { return fmt.Errorf("open: %w", &fs.PathError{Op: "mkdir", Path: file, Err: err}) }
	var request *Request
	if err := Directory("the cache", file, "--cache", in(syscall.ENOTDIR)); !errors.As(err, &request) || !strings.Contains(err.Error(), "there is a file. Choose another one with --cache") {
		t.Error(err)
	}
	var host *Host
	if err := Directory("the cache", dir, "--cache", in(syscall.EROFS)); !errors.As(err, &host) || !strings.Contains(err.Error(), "read-only. Choose another directory with --cache") {
		t.Error(err)
	}
	full := in(syscall.ENOSPC)
	if err := Directory("the cache", dir, "--cache", full); err != full {
		t.Error(err)
	}
	if got := ownerOf("/proc/none/at/all"); got != "root" {
		t.Errorf("the nearest directory belongs to %s", got)
	}
}
