package imagetool

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
)

const mib = 1 << 20

// Ext4 is an ext4 file system to be made from a directory.
type Ext4 struct {
	Tools
	// Source is the directory, Target the file, which exists and has the size that
	// the file system is to get. Both are absolute.
	Source, Target string
	// Timestamp, in seconds since 1970, becomes every time in the file system.
	Timestamp int64
	// HashPrefix is what the UUID, unless it is given, and the seed of the
	// directories' hashes are derived from.
	HashPrefix  string
	UUID, Label string
	// Quota turns accounting by user, group and project on.
	Quota bool
	// Minimise shrinks the file system and its file to what is needed and
	// Padding MiB.
	Minimise bool
	Padding  int64
	// LargeJournal makes the journal of a minimised file system one that suits
	// the disk it will grow to: 512 MiB.
	LargeJournal bool
	// Arch is Debian's name of the architecture the file system is for, ""
	// for this machine's.
	Arch string
}

// Make makes the file system with mke2fs(8), tune2fs(8) and resize2fs(8) from
// e2fsprogs 1.47.1 or newer: older ones add files in the order in which the
// directory lists them.
func (e Ext4) Make(ctx context.Context) error {
	if err := e.check(); err != nil {
		return err
	}
	argv := []string{"mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096"}
	if e.Minimise && e.LargeJournal {
		if err := grow(e.Target, 1<<30); err != nil {
			return err
		}
		argv = append(argv, "-J", "size=512")
	}
	uuid := e.UUID
	if uuid == "" {
		uuid = uuidOf(e.HashPrefix + ":uuid")
	}
	// Whether tables are written at once depends on the running kernel unless
	// it is said.
	argv = append(argv, "-E", "lazy_itable_init=0,hash_seed="+uuidOf(e.HashPrefix+":hash_seed"), "-U", uuid)
	if e.Label != "" {
		argv = append(argv, "-L", e.Label)
	}
	argv = append(argv, "-I", "256", "-d", e.Source, e.Target)
	if err := e.run(ctx, e.Timestamp, argv...); err != nil {
		return fmt.Errorf("make ext4 from %s: %w", e.Source, err)
	}
	if e.Quota {
		if err := e.run(ctx, e.Timestamp, "tune2fs", "-Q", "usrquota,grpquota,prjquota", e.Target); err != nil {
			return fmt.Errorf("enable quotas: %w", err)
		}
	}
	if e.Minimise {
		if err := e.minimise(ctx); err != nil {
			return err
		}
	}
	if err := e.setHashKind(ctx); err != nil {
		return err
	}
	return setExt4Times(e.Target, e.Timestamp)
}

func (e Ext4) check() error {
	if info, err := os.Stat(e.Source); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", e.Source)
	}
	if info, err := os.Stat(e.Target); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", e.Target)
	}
	if e.Timestamp < 0 {
		return fmt.Errorf("the timestamp %d is before 1970", e.Timestamp)
	}
	return nil
}

func (e Ext4) minimise(ctx context.Context) error {
	if err := e.run(ctx, e.Timestamp, "resize2fs", "-M", e.Target); err != nil {
		return fmt.Errorf("shrink the file system: %w", err)
	}
	if e.Padding == 0 {
		return nil
	}
	info, err := os.Stat(e.Target)
	if err != nil {
		return err
	}
	if err := os.Truncate(e.Target, (wholeMiB(info.Size())+e.Padding)*mib); err != nil {
		return err
	}
	if err := e.run(ctx, e.Timestamp, "resize2fs", e.Target); err != nil {
		return fmt.Errorf("pad the file system: %w", err)
	}
	return nil
}

// setHashKind records how directories' hashes see bytes above 127: mke2fs takes
// this from the C compiler's char type of the machine it runs on.
func (e Ext4) setHashKind(ctx context.Context) error {
	if e.Arch == "" {
		return nil
	}
	fs, err := openExt4(e.Target)
	if err != nil {
		return err
	}
	flags := fs.flags()
	if err := fs.close(); err != nil {
		return err
	}
	const signed, unsigned = 1, 2
	want := uint32(signed)
	if slices.Contains([]string{"arm64", "armhf", "ppc64el", "riscv64", "s390x"}, e.Arch) {
		want = unsigned
	}
	if flags&(signed|unsigned) == want {
		return nil
	}
	want |= flags &^ (signed | unsigned)
	request := "set_super_value flags " + strconv.FormatUint(uint64(want), 10)
	if err := e.run(ctx, e.Timestamp, "debugfs", "-w", "-R", request, e.Target); err != nil {
		return fmt.Errorf("set the kind of hash for %s: %w", e.Arch, err)
	}
	return nil
}

func grow(file string, by int64) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	return os.Truncate(file, info.Size()+by)
}

// wholeMiB is the next whole MiB *above* n bytes: a size that is whole already
// gets one more. The Garden Linux builder counts like this, and the layout of its disks
// follows from it.
func wholeMiB(n int64) int64 { return n/mib + 1 }
