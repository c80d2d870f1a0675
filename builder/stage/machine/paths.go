package machine

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
)

const (
	// Factory is where the first content of /var is in a commit (tmpfiles.d(5)).
	Factory = "usr/share/factory/var"
	// OwnRules is the file of rules that hold at each boot, and firstRules
	// begins the names of those that hold once. Of two rules for a path
	// systemd-tmpfiles takes the one that it reads first, in the order of the
	// files' names: ours are to be the first.
	OwnRules   = "00-treewright-var.conf"
	FirstRules = "00-treewright-first-"
	// SysusersDir is where packages declare their accounts.
	SysusersDir = "usr/lib/sysusers.d"
)

// TopLinks are the links that OSTree wants at the top of a tree: what belongs
// to the machine is in /var. See "Adapting existing mainstream
// distributions" in OSTree's documentation.
var TopLinks = []struct{ Name, Target, Content string }{
	// content is where what packages left there goes, below /var's defaults.
	{"home", "var/home", "var/home"},
	{"root", "var/roothome", "var/roothome"},
	{"srv", "var/srv", "var/srv"},
	{"opt", "var/opt", "var/opt"},
	{"mnt", "var/mnt", "var/mnt"},
	{"usr/local", "../var/usrlocal", "var/usrlocal"},
	{"media", "run/media", ""},
	{"ostree", "sysroot/ostree", ""},
}

// BehindLinks returns where a path leads by way of the links at the top.
func BehindLinks(name string) string {
	for _, l := range TopLinks {
		if rest, ok := strings.CutPrefix(name, "/"+l.Name); ok && (rest == "" || rest[0] == '/') {
			return path.Join("/", path.Dir(l.Name), l.Target) + rest
		}
	}
	return name
}

// merged are the directories at the top that are links to those of the same name in /usr.
var merged = []string{"/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"}

// Canonical returns the path of a file without a link to /usr at its beginning, which lists of
// packages may still have.
func Canonical(name string) string {
	if slices.ContainsFunc(merged, func(dir string) bool { return strings.HasPrefix(name, dir) }) {
		return "/usr" + name
	}
	return name
}

// homes are where in a tree the directories of a machine are, the longer first.
var homes = []struct{ in, on string }{
	{Factory + "/roothome", "root"}, {Factory + "/home", "home"}, {Factory + "/srv", "srv"}, {Factory + "/opt", "opt"}, {Factory + "/usrlocal", "usr/local"},
	{Factory, "var"}, {"usr/etc", "etc"}, {"usr/lib/opt", "opt"}, {"usr/lib/srv", "srv"}, {"usr/lib/usrlocal", "usr/local"},
}

// Path returns what a file of a tree is called on a machine.
func Path(rel string) string {
	for _, h := range homes {
		if rest, ok := strings.CutPrefix(rel, h.in+"/"); ok {
			return "/" + h.on + "/" + rest
		}
	}
	return "/" + rel
}

// OnDisk is where something of a machine is in a tree, which may be in
// OSTree's shape: then /etc is made from /usr/etc.
func OnDisk(tree, rel string) string {
	if first, _, _ := strings.Cut(rel, "/"); first == "etc" && !treefs.Exists(filepath.Join(tree, "etc")) {
		rel = "usr/" + rel
	}
	return filepath.Join(tree, rel)
}

// Follow returns the links that are on the way from the link at rel, that one
// first, and the place where they end, all relative to tree and as on a machine
// whose root the tree is. A way that ends nowhere is empty.
func Follow(tree, rel string) ([]string, error) {
	var way []string
	at, rest := ".", rel
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		// Above the root is the root.
		next := strings.TrimPrefix(path.Join("/", at, part), "/")
		if next == "" {
			next = "."
		}
		info, err := os.Lstat(OnDisk(tree, next))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		// As many as Linux follows (path_resolution(7)).
		if way = append(way, next); len(way) > 40 {
			return nil, nil
		}
		target, err := os.Readlink(OnDisk(tree, next))
		if err != nil {
			return nil, err
		}
		if path.IsAbs(target) {
			at = "."
		}
		rest = target + "/" + rest
	}
	return append(way, at), nil
}

// EarlyDirs are read from /usr/local/lib before /var has content, so their
// files go to the same place below /usr/lib.
var EarlyDirs = []string{
	"binfmt.d", "credstore", "credstore.encrypted", "dnssec-trust-anchors.d", "environment.d", "kernel", "modprobe.d", "modules-load.d", "pcrlock.d",
	"repart.d", "sysctl.d", "systemd", "sysupdate.d", "sysusers.d", "tmpfiles.d", "udev", "user-tmpfiles.d", "verity.d",
}

// Committed returns where a committed tree may have a file that has an absolute path
// before the tree gets OSTree's shape. It is the reverse of [Path], with the files of
// kernels, which are copied from /boot.
func Committed(name string) []string {
	var at []string
	for _, h := range homes {
		if rest, ok := strings.CutPrefix(name, "/"+h.on+"/"); ok {
			at = append(at, h.in+"/"+rest)
		}
	}
	if rest, ok := strings.CutPrefix(name, "/usr/local/lib/"); ok {
		if first, _, _ := strings.Cut(rest, "/"); slices.Contains(EarlyDirs, first) {
			at = append(at, "usr/lib/"+rest)
		}
	}
	for _, kind := range []string{"vmlinuz", "config", "System.map"} {
		if version, ok := strings.CutPrefix(name, "/boot/"+kind+"-"); ok {
			at = append(at, "usr/lib/modules/"+version+"/"+kind)
		}
	}
	if name == "/etc" {
		at = append(at, "usr/etc")
	}
	return append(at, strings.TrimPrefix(name, "/"))
}
