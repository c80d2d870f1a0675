package imagetool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// The layout is Microsoft's "FAT: General Overview of On-Disk Format" 1.03.
const (
	fatBPB        = 90 // how many bytes of the boot sector describe the volume
	fatBad        = 0x0ffffff7
	fatEntryMask  = 0x0fffffff // the upper four bits of an entry are reserved
	fatMaxCluster = 0x0ffffff5
	fatNoSector   = 0xffff
)

// fat32 is what a boot sector says about a volume.
type fat32 struct {
	sector, cluster      int64 // bytes, sectors
	reserved, fats, size int64 // sectors before the FATs, their number, sectors of each
	total                int64 // sectors
	root                 uint32
	info, backup         int64 // sectors, 0 for none
	active               int64 // which FAT counts
}

// parseFAT32 reads a volume's boot sector, in a file of that many bytes.
func parseFAT32(boot []byte, size int64) (fat32, error) {
	if len(boot) < 512 {
		return fat32{}, errors.New("too small for a FAT32 volume")
	}
	le := binary.LittleEndian
	if le.Uint16(boot[0x1fe:]) != 0xaa55 {
		return fat32{}, errors.New("no boot sector: its signature is missing")
	}
	if le.Uint16(boot[22:]) != 0 || le.Uint16(boot[19:]) != 0 || le.Uint16(boot[17:]) != 0 {
		return fat32{}, errors.New("not a FAT32 volume, perhaps FAT12 or FAT16")
	}
	v := fat32{
		sector: int64(le.Uint16(boot[11:])), cluster: int64(boot[13]),
		reserved: int64(le.Uint16(boot[14:])), fats: int64(boot[16]), size: int64(le.Uint32(boot[36:])),
		total: int64(le.Uint32(boot[32:])), root: le.Uint32(boot[44:]),
		info: int64(le.Uint16(boot[48:])), backup: int64(le.Uint16(boot[50:])),
	}
	if flags := le.Uint16(boot[40:]); flags&0x80 != 0 {
		v.active = int64(flags & 0xf)
	}
	for _, sector := range []*int64{&v.info, &v.backup} {
		if *sector == fatNoSector {
			*sector = 0
		}
	}
	return v, v.check(size)
}

func (v fat32) check(size int64) error {
	switch {
	case v.sector < 512 || v.sector > 4096 || bits.OnesCount64(uint64(v.sector)) != 1:
		return fmt.Errorf("sectors of %d bytes", v.sector)
	case bits.OnesCount64(uint64(v.cluster)) != 1:
		return fmt.Errorf("clusters of %d sectors", v.cluster)
	case v.fats == 0 || v.size == 0 || v.reserved == 0 || v.total == 0:
		return errors.New("the boot sector gives no FATs or no sectors")
	case v.active >= v.fats:
		return fmt.Errorf("FAT %d of %d is in use", v.active+1, v.fats)
	case v.info >= v.reserved || v.backup >= v.reserved:
		return errors.New("the boot sector's copies are outside of the reserved sectors")
	case v.total*v.sector > size:
		return fmt.Errorf("the volume has %d bytes, but the file only %d", v.total*v.sector, size)
	case v.data() >= v.total:
		return errors.New("the FATs leave no space for data")
	case v.clusters() > fatMaxCluster-2 || v.size*v.sector/4 < v.clusters()+2:
		return fmt.Errorf("the FAT is too small for %d clusters", v.clusters())
	case v.root < 2 || int64(v.root) >= v.clusters()+2:
		return fmt.Errorf("the boot sector puts the root directory in cluster %d, which does not exist", v.root)
	}
	return nil
}

// data is the sector where the clusters begin.
func (v fat32) data() int64 { return v.reserved + v.fats*v.size }

func (v fat32) clusters() int64 { return (v.total - v.data()) / v.cluster }

// clustersFor is how many clusters a volume of that many bytes gets. The FATs
// are sized as if they took no space themselves, as the original does: a few
// sectors are lost, and the result is the same.
func (v fat32) clustersFor(size int64) int64 {
	sectors := min(size/v.sector, 1<<32-1) - v.reserved
	if sectors <= 0 {
		return 0
	}
	limit := min(sectors/v.cluster, fatMaxCluster-2)
	return min(limit, max(0, (sectors-v.fats*v.fatSectors(limit))/v.cluster))
}

func (v fat32) fatSectors(clusters int64) int64 {
	return ((clusters+2)*4 + v.sector - 1) / v.sector
}

// lastUsed is the last cluster that holds something, 1 if none does.
func (v fat32) lastUsed(fat []byte) int64 {
	for i := v.clusters() + 1; i > 1; i-- {
		if e := entry(fat, i); e != 0 && e != fatBad {
			return i
		}
	}
	return 1
}

func entry(fat []byte, i int64) uint32 {
	return binary.LittleEndian.Uint32(fat[4*i:]) & fatEntryMask
}

// resized returns the volume with that many clusters.
func (v fat32) resized(clusters int64) fat32 {
	v.size = v.fatSectors(clusters)
	v.total = v.data() + clusters*v.cluster
	return v
}

// stamp writes the sizes into a boot sector.
func (v fat32) stamp(boot []byte) {
	binary.LittleEndian.PutUint32(boot[32:], uint32(v.total))
	binary.LittleEndian.PutUint32(boot[36:], uint32(v.size))
}

// stampInfo writes the counts of free clusters into an FSInfo sector, and says
// whether it is one.
func (v fat32) stampInfo(info, fat []byte) bool {
	le := binary.LittleEndian
	if !bytes.HasPrefix(info, []byte("RRaA")) || string(info[0x1e4:0x1e8]) != "rrAa" || le.Uint32(info[0x1fc:]) != 0xaa550000 {
		return false
	}
	free, next := uint32(0), uint32(0xffffffff)
	for i := int64(2); i < v.clusters()+2; i++ {
		if entry(fat, i) == 0 {
			if free == 0 {
				next = uint32(i)
			}
			free++
		}
	}
	le.PutUint32(info[0x1e8:], free)
	le.PutUint32(info[0x1ec:], next)
	return true
}
