package format

import (
	"fmt"
	"strings"
)

// Partition types by the Discoverable Partitions Specification
// (https://uapi-group.org/specifications/specs/discoverable_partitions_specification/).
// systemd-repart finds the root by them.
const (
	TypeESP       = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	TypeRootAMD64 = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
	TypeRootARM64 = "b921b045-1df0-41c3-af44-4c6f280d3fae"
)

const (
	sector = 512
	// alignment is where partitions begin and how large they are, in bytes: a
	// multiple of what any disk writes at once. The table and its copy at the
	// disk's end each get as much.
	alignment = 1 << 20
)

// GPT is a partition table in the making: partitions are one after another in
// the order of [GPT.Add].
type GPT struct {
	// DiskID is the UUID of the disk.
	DiskID string

	parts []partition
}

type partition struct {
	kind, id, name string
	start, size    int64 // bytes
}

// Add appends a partition with space for size bytes and returns where it
// begins, in bytes from the start of the disk. kind is its type, id its UUID.
func (g *GPT) Add(kind, id, name string, size int64) (offset int64) {
	offset = g.end()
	g.parts = append(g.parts, partition{kind, id, name, offset, roundUp(size, alignment)})
	return offset
}

// Size is what the disk must hold, in bytes.
func (g *GPT) Size() int64 { return g.end() + alignment }

func (g *GPT) end() int64 {
	if len(g.parts) == 0 {
		return alignment
	}
	last := g.parts[len(g.parts)-1]
	return last.start + last.size
}

// Script is what sfdisk(8) reads to write the table.
func (g *GPT) Script() string {
	var b strings.Builder
	fmt.Fprintf(&b, "label: gpt\nlabel-id: %s\nunit: sectors\nsector-size: %d\nfirst-lba: %d\n\n", g.DiskID, sector, alignment/sector)
	for _, p := range g.parts {
		fmt.Fprintf(&b, "start=%d, size=%d, type=%s, uuid=%s, name=\"%s\"\n", p.start/sector, p.size/sector, p.kind, p.id, p.name)
	}
	return b.String()
}

// Sfdisk is the command that writes the table of the file script to the file
// disk. sfdisk reads it from its standard input alone.
func Sfdisk(disk, script string) []string {
	return []string{"sh", "-c", `exec sfdisk --quiet --no-reread --no-tell-kernel --wipe never --wipe-partitions never "$1" < "$2"`, "sfdisk", disk, script}
}

// roundUp returns the least multiple of unit that is not below n.
func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
