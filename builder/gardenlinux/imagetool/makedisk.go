package imagetool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MakeDisk makes a disk image of partitions that [MakePart] has made.
type MakeDisk struct {
	Tools
	// Image is the file to make, an absolute path; it must not exist.
	Image      string
	Partitions []Partition
	// BootCode goes into the first sector; see [BootCode].
	BootCode []byte
}

// diskUUID is every disk's: the Garden Linux builder derives it from a version that is
// always "today".
var diskUUID = uuidOf("gardenlinux:today:disk_uuid\n")

// bootCodeSize is how much of the first sector boot code may take: a disk
// signature and the partition table follow.
const bootCodeSize = 440

// BootCode reads syslinux' boot code for GPT from a root file system if one of
// the partitions needs it, and is nil otherwise.
func BootCode(rootfs string, parts []Partition) ([]byte, error) {
	if !slices.ContainsFunc(parts, func(p Partition) bool { return p.Syslinux }) {
		return nil, nil
	}
	code, err := os.ReadFile(filepath.Join(rootfs, "usr/lib/SYSLINUX/gptmbr.bin"))
	if err != nil {
		return nil, fmt.Errorf("boot code for syslinux (from the package syslinux-common): %w", err)
	}
	return code[:min(len(code), bootCodeSize)], nil
}

// Run makes the image. The partitions' files are moved into it and are gone
// afterwards. After an error the image does not exist.
func (d MakeDisk) Run(ctx context.Context) (err error) {
	if err := d.checkFiles(); err != nil {
		return err
	}
	img, err := os.OpenFile(d.Image, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(d.Image)
		}
	}()
	err = img.Truncate(d.size())
	if cerr := img.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	extents, err := d.writeTable(ctx)
	if err != nil {
		return err
	}
	if err := d.writeBootCode(); err != nil {
		return err
	}
	for i, p := range d.Partitions {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := Move{Input: p.File, Output: d.Image, OutputOffset: extents[i].start, Length: extents[i].length}.Run()
		if err != nil {
			return fmt.Errorf("move partition %d into the image: %w", i+1, err)
		}
		if err := os.Remove(p.File); err != nil {
			return err
		}
	}
	return nil
}

// size is that of all partitions, and 1 MiB for the partition table at either
// end.
func (d MakeDisk) size() int64 {
	total := int64(2)
	for _, p := range d.Partitions {
		total += p.MiB
	}
	return total * mib
}

// checkFiles finds what would not end up in the image as a whole.
func (d MakeDisk) checkFiles() error {
	var faults []error
	for i, p := range d.Partitions {
		info, err := os.Stat(p.File)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("partition %d: %w", i+1, err))
		case !info.Mode().IsRegular():
			faults = append(faults, fmt.Errorf("partition %d: %s is not a regular file", i+1, p.File))
		case info.Size() > p.MiB*mib:
			faults = append(faults, fmt.Errorf("partition %d of %d MiB: %s is larger, %d bytes", i+1, p.MiB, p.File, info.Size()))
		}
	}
	return errors.Join(faults...)
}

// writeTable writes the partition table with sfdisk(8) and returns where the
// partitions are.
func (d MakeDisk) writeTable(ctx context.Context) ([]extent, error) {
	write := d.command(0, []string{"sfdisk", "--quiet", d.Image})
	write.Stdin = strings.NewReader(d.script())
	if err := write.Run(ctx); err != nil {
		return nil, fmt.Errorf("write the partition table: %w", err)
	}
	var dump bytes.Buffer
	read := d.command(0, []string{"sfdisk", "-d", d.Image})
	read.Stdout = &dump
	if err := read.Run(ctx); err != nil {
		return nil, fmt.Errorf("read the partition table: %w", err)
	}
	extents, err := parseDump(&dump)
	if err == nil && len(extents) != len(d.Partitions) {
		err = fmt.Errorf("it has %d partitions, not %d", len(extents), len(d.Partitions))
	}
	if err != nil {
		return nil, fmt.Errorf("read the partition table: %w", err)
	}
	return extents, nil
}

// script is sfdisk's input.
func (d MakeDisk) script() string {
	var b strings.Builder
	fmt.Fprintf(&b, "label: gpt\nlabel-id: %s\n", diskUUID)
	for _, p := range d.Partitions {
		fmt.Fprintf(&b, "uuid=%s, type=%s, size=%dMiB", p.UUID, p.Type, p.MiB)
		if p.Label != "" {
			fmt.Fprintf(&b, `, name="%s"`, p.Label)
		}
		if p.Syslinux {
			b.WriteString(", attrs=LegacyBIOSBootable")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// extent is where a partition is, in bytes.
type extent struct{ start, length int64 }

var (
	dumpSector = regexp.MustCompile(`^sector-size: *([0-9]+)$`)
	dumpExtent = regexp.MustCompile(`: start= *([0-9]+), size= *([0-9]+),`)
)

// parseDump reads the output of sfdisk -d.
func parseDump(r io.Reader) ([]extent, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	sector := int64(512)
	var all []extent
	for _, line := range strings.Split(string(data), "\n") {
		if m := dumpSector.FindStringSubmatch(line); m != nil {
			// With 15 bits, what is computed of numbers of 47 bits fits.
			if sector, err = strconv.ParseInt(m[1], 10, 16); err != nil {
				return nil, err
			}
		}
		m := dumpExtent.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		start, serr := strconv.ParseInt(m[1], 10, 48)
		length, lerr := strconv.ParseInt(m[2], 10, 48)
		if err := errors.Join(serr, lerr); err != nil {
			return nil, err
		}
		all = append(all, extent{start * sector, length * sector})
	}
	return all, nil
}

func (d MakeDisk) writeBootCode() error {
	if len(d.BootCode) == 0 {
		return nil
	}
	if len(d.BootCode) > bootCodeSize {
		return fmt.Errorf("boot code of %d bytes: there is space for %d", len(d.BootCode), bootCodeSize)
	}
	img, err := os.OpenFile(d.Image, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = img.WriteAt(d.BootCode, 0)
	if cerr := img.Close(); err == nil {
		err = cerr
	}
	return err
}
