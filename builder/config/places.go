package config

import (
	"path"
	"strings"
)

// A Place is a part of a system's tree that cannot reach a machine in a commit.
type Place struct {
	// Path is relative to the root. What is below it is meant too.
	Path string
	// Reason explains why, and what to do, as whole sentences.
	Reason string
}

const (
	atBoot  = "It is made again at each boot. A rule in /usr/lib/tmpfiles.d makes files there (tmpfiles.d(5))."
	kernel  = "It is empty in a commit: on a machine it is mounted by the kernel, or by OSTree."
	itsLink = "It is a link in a commit, so nothing else can have its name."
)

// Places are where no file of a feature may be in a flavour's tree.
var Places = []Place{
	{"boot", "It is empty in a commit: on a machine it belongs to the boot loader. A kernel belongs beside its modules, at /usr/lib/modules/VERSION/vmlinuz; data of programs belongs below /usr/lib."},
	{"efi", "It is empty in a commit: on a machine the EFI system partition is mounted there."},
	{"tmp", atBoot}, {"run", atBoot},
	{"var/run", "It is a link to /run. " + atBoot}, {"var/lock", "It is a link to /run/lock. " + atBoot},
	{"dev", kernel}, {"proc", kernel}, {"sys", kernel}, {"sysroot", kernel}, {"ostree", kernel},
	{"media", "It is a link to /run/media, where disks that people plug in are mounted. Put it in /mnt or /srv."},
	{"usr/etc", "OSTree makes it from /etc: put it in /etc."},
	{"usr/share/factory/var", "Treewright makes it from /var: put it in /var."},
	{"usr/lib/tmpfiles.d/00-treewright-var.conf", "Treewright makes it from the content of /var."},
	{"usr/lib/tmpfiles.d/00-treewright-first", "Treewright makes it from the content of /var."},
}

// DatabasePlaces are those of a package database: the directory that a tree has it
// in, and where it is in a commit.
func DatabasePlaces(dir, committed string) []Place {
	return []Place{
		{committed, "The package database is moved there."},
		{dir, "The package database is there, and only programs that install packages may write to it."},
	}
}

// ownNames are files that are left out of commits, links that are made again, and lists of
// accounts.
var ownNames = []Place{
	{"home", itsLink}, {"root", itsLink}, {"srv", itsLink}, {"opt", itsLink}, {"mnt", itsLink}, {"usr/local", itsLink}, {"var", "It is a directory in a commit."},
	{"vmlinuz", "Nothing reads links to kernels here."}, {"vmlinuz.old", "Nothing reads links to kernels here."},
	{"initrd.img", "Nothing reads links to kernels here."}, {"initrd.img.old", "Nothing reads links to kernels here."},
	{"etc/passwd", accountList}, {"etc/group", accountList}, {"etc/shadow", accountList}, {"etc/gshadow", accountList},
	{"etc/passwd-", accountCopy}, {"etc/group-", accountCopy}, {"etc/shadow-", accountCopy}, {"etc/gshadow-", accountCopy},
	{"etc/subuid-", accountCopy}, {"etc/subgid-", accountCopy}, {"etc/.pwd.lock", accountCopy},
}

const (
	accountCopy = "It belongs to the programs that change accounts, and is left out."
	accountList = "Packages and features add accounts to it, which a file in its place would take away. Write users and groups in the flavour, or add them in exec.accounts of a feature."
)

// has reports whether a path is the place or is in it. Files whose names begin
// as a file that Treewright makes count.
func (p Place) has(rel string) bool {
	return rel == p.Path || strings.HasPrefix(rel, p.Path+"/") || strings.Contains(path.Base(p.Path), "treewright") && strings.HasPrefix(rel, p.Path)
}
