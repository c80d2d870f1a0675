package config

import (
	"io/fs"
	"path"
	"strings"
)

// A Place is a part of a system's tree that cannot reach a machine in a commit.
type Place struct {
	// Path is relative to the root. What lies below it is meant too.
	Path string
	// Reason says why, and what to do, as whole sentences.
	Reason string
}

const (
	atBoot  = "It is made again at each boot. A rule in /usr/lib/tmpfiles.d makes files there (tmpfiles.d(5))."
	kernel  = "It is empty in a commit: on a machine it is mounted by the kernel, or by OSTree."
	itsLink = "It is a link in a commit, so nothing else can have its name."
)

// Places are where no file of a feature may lie in a flavour's tree.
var Places = []Place{
	{"boot", "It is empty in a commit: on a machine it belongs to the boot loader. A kernel lies beside its modules, at /usr/lib/modules/VERSION/vmlinuz; what programs read can lie below /usr/lib."},
	{"efi", "It is empty in a commit: on a machine the EFI system partition is mounted there."},
	{"tmp", atBoot}, {"run", atBoot},
	{"var/run", "It is a link to /run. " + atBoot}, {"var/lock", "It is a link to /run/lock. " + atBoot},
	{"dev", kernel}, {"proc", kernel}, {"sys", kernel}, {"sysroot", kernel}, {"ostree", kernel},
	{"media", "It is a link to /run/media, where disks that people plug in are mounted. Put it in /mnt or /srv."},
	{"usr/etc", "OSTree makes it from /etc: put it in /etc."},
	{"usr/share/factory/var", "Treewright makes it from /var: put it in /var."},
	{"usr/lib/sysimage/dpkg", "The database of packages comes to lie there."},
	{"var/lib/dpkg", "The database of packages lies there, and only dpkg may write to it."},
	{"usr/lib/tmpfiles.d/00-treewright-var.conf", "Treewright makes it from what lies in /var."},
	{"usr/lib/tmpfiles.d/00-treewright-first", "Treewright makes it from what lies in /var."},
}

// ownNames are files that are left out of commits, and links that are made again.
var ownNames = []Place{
	{"home", itsLink}, {"root", itsLink}, {"srv", itsLink}, {"opt", itsLink}, {"mnt", itsLink}, {"usr/local", itsLink}, {"var", "It is a directory in a commit."},
	{"vmlinuz", "Nothing reads links to kernels here."}, {"vmlinuz.old", "Nothing reads links to kernels here."},
	{"initrd.img", "Nothing reads links to kernels here."}, {"initrd.img.old", "Nothing reads links to kernels here."},
	{"etc/passwd-", accountCopy}, {"etc/group-", accountCopy}, {"etc/shadow-", accountCopy}, {"etc/gshadow-", accountCopy},
	{"etc/subuid-", accountCopy}, {"etc/subgid-", accountCopy}, {"etc/.pwd.lock", accountCopy},
}

const accountCopy = "It belongs to the programs that change accounts, and is left out."

// checkPlaces finds files of a file.include that would not reach a machine. What
// an extension leaves out is told where it is made.
func (l *loader) checkPlaces(f *Feature, dir string) {
	if f.Type == Extension {
		return
	}
	report := func(name, rel, reason string) {
		l.say(Fault(FileStart(name), "File that cannot reach a machine", "Feature %q brings /%s. %s", f.Name, rel, reason))
	}
	real, err := Follow(l.fsys, dir)
	if err != nil {
		return // reported where links are looked at
	}
	// What cannot be read is reported when it is copied.
	_ = fs.WalkDir(l.fsys, real, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == real {
			return nil
		}
		rel := strings.TrimPrefix(name, real+"/")
		for _, p := range ownNames {
			if rel == p.Path && !l.isDir(name, d) {
				report(name, rel, p.Reason)
			}
		}
		for _, p := range Places {
			if !p.has(rel) || strings.HasPrefix(p.Path, "var/") && d.Type()&fs.ModeSymlink != 0 && rel == p.Path {
				continue
			}
			if entries, err := fs.ReadDir(l.fsys, name); d.IsDir() && (err != nil || len(entries) > 0 || rel == p.Path) {
				continue
			}
			report(name, rel, p.Reason)
		}
		return nil
	})
}

// has says whether a path is the place or lies in it. Files whose names begin
// as a file that Treewright makes count.
func (p Place) has(rel string) bool {
	return rel == p.Path || strings.HasPrefix(rel, p.Path+"/") || strings.Contains(path.Base(p.Path), "treewright") && strings.HasPrefix(rel, p.Path)
}
