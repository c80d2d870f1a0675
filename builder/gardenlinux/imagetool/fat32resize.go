package imagetool

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// FATMode describes what size a FAT32 volume is to get.
type FATMode int

// The modes: all of its file or device, as little as its files allow, or a
// number of bytes.
const (
	FATMax FATMode = iota
	FATMin
	FATSize
)

// ResizeFAT32 changes the size of a FAT32 volume in a file or on a device that
// is not mounted. Clusters keep their numbers, so nothing that is after the
// last used one's is reclaimed before it.
type ResizeFAT32 struct {
	File string
	Mode FATMode
	// Size is the number of bytes for FATSize.
	Size int64
	// Truncate makes the file as long as the volume, or as Size if that is
	// more.
	Truncate bool
}

// FATResized tells of a change.
type FATResized struct {
	// Before and After are in sectors, SectorSize in bytes.
	Before, After, SectorSize int64
}

// ErrFATFull means that a volume's files take more than the size that it was to
// get; it has been made as small as they allow.
var ErrFATFull = errors.New("the files in the volume need more space than that; it is now as small as they allow")

// Run carries the change out.
func (r ResizeFAT32) Run() (FATResized, error) {
	f, err := os.OpenFile(r.File, os.O_RDWR, 0)
	if err != nil {
		return FATResized{}, err
	}
	done, err := r.resize(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", r.File, err)
	}
	return done, err
}

func (r ResizeFAT32) resize(f *os.File) (FATResized, error) {
	// Not Stat: a device's size is its end.
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return FATResized{}, err
	}
	boot := make([]byte, 512)
	n, err := f.ReadAt(boot, 0)
	if err != nil && err != io.EOF {
		return FATResized{}, err
	}
	v, err := parseFAT32(boot[:n], size)
	if err != nil {
		return FATResized{}, err
	}
	if r.Mode == FATSize && r.Size > size {
		if !r.Truncate {
			return FATResized{}, fmt.Errorf("there are only %d bytes, not %d; -t makes a file longer", size, r.Size)
		}
		if err := f.Truncate(r.Size); err != nil {
			return FATResized{}, err
		}
		size = r.Size
	}
	clusters := int64(0)
	switch r.Mode {
	case FATMax:
		clusters = v.clustersFor(size)
	case FATSize:
		clusters = v.clustersFor(r.Size)
	}
	to, err := v.rewrite(f, boot, clusters)
	if err != nil {
		return FATResized{}, err
	}
	done := FATResized{Before: v.total, After: to.total, SectorSize: v.sector}
	end := to.total * to.sector
	full := r.Mode == FATSize && end > r.Size
	if r.Mode == FATSize {
		end = max(end, r.Size)
	}
	if r.Truncate {
		if err := f.Truncate(end); err != nil {
			return done, err
		}
	}
	if full {
		return done, ErrFATFull
	}
	return done, nil
}

// rewrite gives the volume that many clusters, but no fewer than it needs.
func (v fat32) rewrite(f *os.File, boot []byte, clusters int64) (fat32, error) {
	old := make([]byte, v.size*v.sector)
	if _, err := f.ReadAt(old, (v.reserved+v.active*v.size)*v.sector); err != nil {
		return v, fmt.Errorf("read the FAT: %w", err)
	}
	needed := v.lastUsed(old) - 1
	clusters = max(clusters, needed, int64(v.root)-1)
	to := v.resized(clusters)
	fat := make([]byte, to.size*to.sector)
	copy(fat, old[:4*(min(clusters, v.clusters())+2)])

	if err := moveWithin(f, v.data()*v.sector, to.data()*v.sector, needed*v.cluster*v.sector); err != nil {
		return v, fmt.Errorf("move the clusters: %w", err)
	}
	for i := int64(0); i < to.fats; i++ {
		if _, err := f.WriteAt(fat, (to.reserved+i*to.size)*to.sector); err != nil {
			return v, fmt.Errorf("write the FAT: %w", err)
		}
	}
	to.stamp(boot)
	sectors := []int64{0}
	if to.backup != 0 {
		sectors = append(sectors, to.backup)
	}
	for _, at := range sectors {
		if _, err := f.WriteAt(boot[:fatBPB], at*to.sector); err != nil {
			return v, fmt.Errorf("write the boot sector: %w", err)
		}
	}
	if to.info == 0 {
		return to, nil
	}
	info := make([]byte, 512)
	if _, err := f.ReadAt(info, to.info*to.sector); err != nil {
		return v, fmt.Errorf("read the FSInfo sector: %w", err)
	}
	if to.stampInfo(info, fat) {
		if _, err := f.WriteAt(info, to.info*to.sector); err != nil {
			return v, fmt.Errorf("write the FSInfo sector: %w", err)
		}
	}
	return to, nil
}

// moveWithin moves bytes to another place, which may overlap the first, in the
// same file.
func moveWithin(f *os.File, from, to, length int64) error {
	if from == to {
		return nil
	}
	buf := make([]byte, movePiece)
	for done := int64(0); done < length; {
		n := min(length-done, movePiece)
		at := done
		if to > from { // the end first
			at = length - done - n
		}
		if _, err := f.ReadAt(buf[:n], from+at); err != nil {
			return err
		}
		if _, err := f.WriteAt(buf[:n], to+at); err != nil {
			return err
		}
		done += n
	}
	return nil
}
