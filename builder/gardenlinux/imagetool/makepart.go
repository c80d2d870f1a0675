package imagetool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/layer"
)

// MakePart makes the partitions that an fstab asks for from a root file system.
type MakePart struct {
	Tools
	// Rootfs is the directory with the root file system, an absolute path.
	Rootfs string
	// Consume reports that the caller has no more use for that directory: it is taken
	// apart instead of a copy, and nobody must count on what is left in it.
	Consume bool
	// Arch is Debian's name of the architecture, Version the system's version,
	// from which identifiers are derived, Timestamp all files' time in seconds
	// since 1970.
	Arch, Version string
	Timestamp     int64
}

// Run makes the partitions, each in a file below Temp that is the caller's to
// remove, in the order of the partition table. If there is an error there are
// no files.
//
// The contents of a mount point go into its own partition only. The root's
// /etc/fstab is written from the entries, the root's options with
// x-systemd.growfs appended.
func (m MakePart) Run(ctx context.Context, entries []Entry) (parts []Partition, err error) {
	entries = slices.Clone(entries)
	for i := range entries {
		if entries[i].Root() {
			entries[i].Options += "," + growOption
		}
	}
	if err := m.checkTargets(entries); err != nil {
		return nil, err
	}
	tree := m.Rootfs
	if !m.Consume {
		if tree, err = os.MkdirTemp(m.temp(), "makepart."); err != nil {
			return nil, err
		}
		defer os.RemoveAll(tree)
		if err := m.run(ctx, m.Timestamp, "cp", "-a", m.Rootfs+"/.", tree); err != nil {
			return nil, fmt.Errorf("copy %s: %w", m.Rootfs, err)
		}
	}
	made := map[string]Partition{}
	defer func() {
		if err != nil {
			for _, p := range made {
				os.Remove(p.File)
			}
		}
	}()
	for _, e := range m.order(entries) {
		if e.Root() {
			if err := writeFstab(tree, fstabText(entries)); err != nil {
				return nil, err
			}
		}
		p, err := m.partition(ctx, e, tree)
		if p.File != "" {
			made[e.Source] = p
		}
		if err != nil {
			return nil, fmt.Errorf("partition for %s: %w", e.Target, err)
		}
	}
	var last []Partition
	for _, e := range entries {
		if e.Final {
			last = append(last, made[e.Source])
		} else {
			parts = append(parts, made[e.Source])
		}
	}
	return append(parts, last...), nil
}

// order is the order in which the partitions are made: those with syslinux,
// and what is mounted below them, before a /usr of its own takes that program
// out of the tree.
func (m MakePart) order(entries []Entry) []Entry {
	early := func(e Entry) bool {
		return slices.ContainsFunc(entries, func(s Entry) bool {
			return m.syslinux(s) && (e.Source == s.Source || e.below(s))
		})
	}
	var first, rest []Entry
	for _, e := range entries {
		if early(e) {
			first = append(first, e)
		} else {
			rest = append(rest, e)
		}
	}
	return append(first, rest...)
}

// checkTargets describes which mount points are not directories in the root file system.
// None may be a link, which could lead out of it.
func (m MakePart) checkTargets(entries []Entry) error {
	faults := &FaultsError{Input: "fstab"}
	for _, e := range entries {
		if !e.mounted() {
			continue
		}
		at := m.Rootfs
		for _, name := range strings.Split(strings.Trim(e.Target, "/"), "/") {
			at = filepath.Join(at, name)
			info, err := os.Lstat(at)
			if errors.Is(err, fs.ErrNotExist) {
				faults.add(e.Line, e.Text, "the root file system has no directory %s", e.Target)
				break
			} else if err != nil {
				return err
			}
			if !info.IsDir() {
				faults.add(e.Line, e.Text, "%s is not a directory in the root file system", "/"+strings.TrimPrefix(at, m.Rootfs+"/"))
				break
			}
		}
	}
	return faults.result()
}

// rootTypes are the partition types of root file systems that systemd finds
// by itself: https://uapi-group.org/specifications/specs/discoverable_partitions_specification/
var rootTypes = map[string]string{
	"amd64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
	"arm64": "b921b045-1df0-41c3-af44-4c6f280d3fae",
}

func (m MakePart) partitionType(e Entry) string {
	switch root := rootTypes[m.Arch]; {
	case e.Type != "":
		return e.Type
	case e.Root() && root != "":
		return root
	case e.FS == "swap":
		return "swap"
	}
	return "linux"
}

// syslinux reports whether syslinux is put on an entry's partition: where it is
// asked for, and on boot partitions if the system has it.
func (m MakePart) syslinux(e Entry) bool {
	if e.Syslinux {
		return true
	}
	if e.FS != "vfat" || e.Target != "/efi" && !strings.HasPrefix(e.Target, "/boot") {
		return false
	}
	info, err := os.Stat(filepath.Join(m.Rootfs, "usr/bin/syslinux"))
	return err == nil && info.Mode().IsRegular()
}

// partition makes one partition. Its File is set as soon as that exists.
func (m MakePart) partition(ctx context.Context, e Entry, tree string) (Partition, error) {
	source := filepath.Join(tree, e.Target)
	p := Partition{
		UUID:     uuidOf("gardenlinux:" + m.Version + ":part_uuid:" + e.Source + "\n"),
		Type:     m.partitionType(e),
		Syslinux: m.syslinux(e),
		Label:    e.Label,
	}
	size := e.Size
	if size == 0 {
		bytes, err := apparentSize(source)
		if err != nil {
			return p, err
		}
		size = computedSize(bytes)
	}
	var err error
	if p.File, err = m.tempFile(); err != nil {
		return p, err
	}
	if err := os.Truncate(p.File, size); err != nil {
		return p, err
	}
	if m.Log != nil {
		fmt.Fprintf(m.Log, "%s: %s in %s, %d MiB to begin with\n", e.Target, e.FS, p.File, size/mib)
	}
	if err := m.fill(ctx, e, source, p.File); err != nil {
		return p, err
	}
	if p.Syslinux {
		if err := m.installSyslinux(ctx, p.File); err != nil {
			return p, err
		}
	}
	if e.mounted() && !e.Root() {
		if err := layer.Empty(source); err != nil {
			return p, err
		}
	}
	info, err := os.Stat(p.File)
	if err != nil {
		return p, err
	}
	p.MiB = wholeMiB(info.Size())
	return p, nil
}

func (m MakePart) fill(ctx context.Context, e Entry, source, file string) error {
	prefix := "gardenlinux:" + m.Version + ":partition:" + e.Target + ":" + e.FS
	switch e.FS {
	case "ext4":
		return Ext4{
			Tools: m.Tools, Source: source, Target: file, Timestamp: m.Timestamp, HashPrefix: prefix, UUID: e.UUID, Label: e.Label,
			Quota: true, Minimise: e.Size == 0, Padding: 16, LargeJournal: strings.Contains(e.Options, growOption), Arch: m.Arch,
		}.Make(ctx)
	case "vfat":
		return VFAT{
			Tools: m.Tools, Source: source, Target: file, Timestamp: m.Timestamp, HashPrefix: prefix, VolumeID: e.UUID, Label: e.Label,
		}.Make(ctx)
	default:
		// All swap areas of all systems have one UUID: the Garden Linux builder derives it
		// from nothing else.
		return Swap{Tools: m.Tools, Target: file, HashPrefix: "swap", UUID: e.UUID, Label: e.Label}.Make(ctx)
	}
}

// installSyslinux runs the system's own syslinux with its own libraries: what
// it installs is itself. It takes mtools from Path.
func (m MakePart) installSyslinux(ctx context.Context, file string) error {
	lib := filepath.Join(m.Rootfs, "usr/lib/x86_64-linux-gnu")
	err := m.run(ctx, max(m.Timestamp, fatEpoch), filepath.Join(lib, "ld-linux-x86-64.so.2"), "--library-path", lib,
		filepath.Join(m.Rootfs, "usr/bin/syslinux"), "-d", "syslinux", "-i", file)
	if err != nil {
		return fmt.Errorf("install syslinux into its directory syslinux: %w", err)
	}
	return nil
}

// computedSize is the size that a partition gets for files of so many bytes:
// half as much again, in whole MiB, at least 64.
func computedSize(bytes int64) int64 {
	return max(64, wholeMiB(bytes+bytes/2)) * mib
}

// apparentSize is the size of all files and symbolic links in a directory, those
// with several names counted once, as du -b of coreutils 9.2 and newer counts.
func apparentSize(dir string) (int64, error) {
	type id struct{ dev, ino uint64 }
	seen := map[id]bool{}
	total := int64(0)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink > 1 {
			key := id{uint64(s.Dev), s.Ino}
			if seen[key] {
				return nil
			}
			seen[key] = true
		}
		total += info.Size()
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	return total, nil
}

// writeFstab writes the tree's /etc/fstab. A link there, which could lead out
// of the tree, is replaced.
func writeFstab(tree, text string) error {
	path := filepath.Join(tree, "etc/fstab")
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("write /etc/fstab: %w", err)
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write /etc/fstab: %w", err)
	}
	return nil
}
