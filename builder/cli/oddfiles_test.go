package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// mostResident is what reading a tree may have of the memory, in KiB.
const mostResident = 500 << 10

// checked is how `check` of a tree ended.
type checked struct {
	text     string
	code     int
	resident int64 // KiB
	used     time.Duration
}

// runCheckOn runs the command as a user does. One that hangs, or has too much of
// the memory, fails the test.
func runCheckOn(t *testing.T, dir string, args ...string) checked {
	t.Helper()
	program, err := exec.LookPath("treewright")
	if err != nil {
		t.Fatal(err)
	}
	// Not how long it may take: after that time it hangs, however busy the machine.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"-C", dir}, args...)...)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v does not end", args)
	}
	c := checked{text: out.String(), code: cmd.ProcessState.ExitCode()}
	c.resident = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	c.used = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if c.code < 0 || strings.Contains(c.text, "goroutine ") {
		t.Fatalf("%v breaks down: %v\n%.3000s", args, err, c.text)
	}
	if c.resident > mostResident {
		t.Errorf("%v has %d MiB of memory", args, c.resident>>10)
	}
	return c
}

// oddFiles are what can be in a tree in place of a file. The function makes it.
var oddFiles = map[string]func(path string) error{
	"fifo": func(path string) error { return unix.Mkfifo(path, 0o777) },
	"socket": func(path string) error {
		// A socket's path is at most 108 bytes long.
		short := filepath.Join(os.TempDir(), fmt.Sprintf("odd-%d-%d", os.Getpid(), time.Now().UnixNano()))
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		return os.Rename(short, path)
	},
	"device":     func(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o777, int(unix.Mkdev(1, 5))) },
	"/dev/zero":  linkTo("/dev/zero"),
	"/proc/mem":  linkTo("/proc/self/mem"),
	"/proc/kmsg": linkTo("/proc/kmsg"),
	"/proc":      linkTo("/proc/self"),
	"/dev/stdin": linkTo("/dev/stdin"),
	"huge": func(path string) error {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			return err
		}
		return os.Truncate(path, 1<<36)
	},
}

func linkTo(target string) func(string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

// ownPlaces are all places of a tree of ours, with those where anything may be
// as large as it likes.
var ownPlaces = map[string]bool{
	"flavours": false, "flavours/x.yaml": false, "flavours/y.hcl": false, "features": false, "features/base": false, "accounts": false, "key.gpg": false,
	"features/base/info.yaml": false, "features/base/pkg.include": false, "features/base/pkg.exclude": false, "features/base/pkg.build": false,
	"features/base/file.include.stat": false, "features/base/file.exclude": false, "features/base/file.include": false,
	"features/base/file.include/etc": true, "features/base/file.include/etc/x": true, "features/base/exec.early": true, "features/base/exec.accounts": true,
	"features/base/exec.config": true, "features/base/exec.late": true, "features/base/exec.post": true, "features/base/exec.build": true,
	"features/base/fstab": true, "features/base/fstab.mod": true, "features/base/requirements.mod": true, "features/base/image": true,
	"features/base/image.oci": true, "features/base/convert.oci~raw": true, "features/base/test": true, "features/base/test/works": true,
	"features/base/README.md": true, "features/base/helper": true, "features/base/helpers/one": true, "features/base/.hidden": true,
}

// placesAlone are those of a tree of Garden Linux's.
var placesAlone = map[string]bool{
	"features": false, "features/base": true, "flavors.yaml": false, "keyring.gpg": false, "get_repo": false, "get_version": false, "get_commit": false,
	"get_timestamp": false, "build.config": false, ".git": true,
	"features/base/info.yaml": false, "features/base/pkg.include": false, "features/base/pkg.exclude": false, "features/base/file.include.stat": false,
	"features/base/file.exclude": false, "features/base/file.include": false, "features/base/file.include/etc/x": true, "features/base/exec.early": true,
	"features/base/exec.config": true, "features/base/exec.late": true, "features/base/exec.post": true, "features/base/fstab": true,
	"features/base/fstab.mod": true, "features/base/requirements.mod": true, "features/base/image": true, "features/base/image.oci": true,
	"features/base/convert.oci~raw": true, "features/base/helper": true, "features/base/helpers/one": true,
}

// TestOddFiles puts what is not a file into each place of a tree, and wants it to be
// named, and not opened.
func TestOddFiles(t *testing.T) {
	own := map[string]string{
		"features/base/info.yaml": "{type: platform}",
		"flavours/x.yaml":         "flavours: {x: {distribution: {suite: testing, keyring: key.gpg}, features: [base]}}",
		"key.gpg":                 "key",
	}
	alone := map[string]string{
		"features/base/info.yaml": "{type: platform}",
		"features/base/fstab":     "LABEL=ROOT / ext4 rw 0 1\n",
		"keyring.gpg":             "key",
	}
	for kind, make := range oddFiles {
		t.Run(strings.ReplaceAll(kind, "/", ""), func(t *testing.T) {
			t.Parallel()
			if kind == "device" && os.Getuid() != 0 {
				treetest.Skip(t, "needs root: makes device nodes")
			}
			// fine reports that there is nothing wrong with it: large files in some places,
			// and links that are content, or an editor's.
			fine := func(place string, anySize bool) bool {
				content := strings.Count(place, "/") > 2 || strings.HasSuffix(place, "/.hidden")
				return place == ".git" || kind == "huge" && anySize || strings.HasPrefix(kind, "/") && content
			}
			for place, anySize := range ownPlaces {
				oddFile(t, own, place, make, fine(place, anySize), "check")
			}
			for place, anySize := range placesAlone {
				// The archive is one that cannot be asked.
				oddFile(t, alone, place, make, fine(place, anySize), "check", "--offline")
			}
		})
	}
}

func oddFile(t *testing.T, files map[string]string, place string, make func(string) error, fine bool, args ...string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if name == place || strings.HasPrefix(name, place+"/") {
			continue
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	odd := filepath.Join(dir, place)
	if err := os.MkdirAll(filepath.Dir(odd), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := make(odd); err != nil {
		t.Fatal(err)
	}
	c := runCheckOn(t, dir, args...)
	if named := strings.Contains(c.text, filepath.Base(place)); !fine && (c.code == 0 || !named) {
		t.Errorf("%s: exit code %d, and\n%.1500s", place, c.code, c.text)
	}
}
