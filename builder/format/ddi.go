package format

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/verity"
)

// systemd's names of architectures in partition types (repart.d(5)), by Debian's.
var ddiArchitectures = map[string]string{"amd64": "x86-64", "arm64": "arm64"}

// DDI is a discoverable disk image in the making: a partition table, a file system
// for the root, and the dm-verity hashes of that, made by systemd-repart(8) without
// loop devices.
type DDI struct {
	// Arch is Debian's name of the architecture that the root is for.
	Arch string
	// Name is the label of the root's partition.
	Name string
	// Seed is the UUID that all others, and the salt of the hashes, are derived from.
	Seed string
	// Data is the file with the root's file system, as systemd-repart sees it, and Size
	// how large it is, in bytes.
	Data string
	Size int64
	// Signed reports whether there is a partition for the signature of the root hash. It
	// is empty until the image is published.
	Signed bool
}

// Definitions are the files, by name, that describe the partitions (repart.d(5)). Each
// has the size of its content: what systemd-repart has left over it would give to the root,
// and the hashes would cover it.
func (d DDI) Definitions() map[string]string {
	kind := "root-" + ddiArchitectures[d.Arch]
	partition := func(lines ...string) string {
		return "[Partition]\n" + strings.Join(lines, "\n") + "\nWeight=0\n"
	}
	size := strconv.FormatInt(roundUp(d.Size, 4096), 10)
	files := map[string]string{
		"10-root.conf": partition("Type="+kind, "Label="+d.Name, "CopyBlocks="+d.Data, "SizeMinBytes="+size, "SizeMaxBytes="+size, "Verity=data", "VerityMatchKey=root"),
		"20-hash.conf": partition("Type="+kind+"-verity", "Label="+d.Name+"-verity", "Minimize=best", "Verity=hash", "VerityMatchKey=root"),
	}
	if d.Signed {
		size := strconv.Itoa(verity.PartitionSize)
		files["30-signature.conf"] = partition("Type="+kind+"-verity-sig", "Label="+d.Name+"-verity-sig", "SizeMinBytes="+size, "SizeMaxBytes="+size)
	}
	return files
}

// Argv is the command that makes the image file, whose definitions are in the directory
// of that name, and writes what it made to the file made, for [ReadDDI].
func (d DDI) Argv(definitions, file, made string) []string {
	return []string{
		"sh", "-c", `exec systemd-repart --offline=yes --empty=create --size=auto --dry-run=no --json=short --definitions="$1" --seed="$2" "$3" > "$4"`,
		"systemd-repart", definitions, d.Seed, file, made,
	}
}

// Verity describes the dm-verity of a [DDI].
type Verity struct {
	// RootHash is the hash that everything in the root follows from, in hexadecimal
	// digits.
	RootHash string
	// DataAt is where the partition of the root begins, in bytes.
	DataAt int64
	// SignatureAt is where the partition of the signature begins, in bytes; 0 if there is
	// none.
	SignatureAt int64
}

// ReadDDI reads what [DDI.Argv] wrote about the image that it made.
func ReadDDI(made []byte) (Verity, error) {
	var partitions []struct {
		Type     string `json:"type"`
		Offset   int64  `json:"offset"`
		RootHash string `json:"roothash"`
	}
	if err := json.Unmarshal(made, &partitions); err != nil {
		return Verity{}, fmt.Errorf("read what systemd-repart made: %w", err)
	}
	var v Verity
	for _, p := range partitions {
		switch {
		case strings.HasSuffix(p.Type, "-verity-sig"):
			v.SignatureAt = p.Offset
		case strings.HasSuffix(p.Type, "-verity"):
			v.RootHash = p.RootHash
		default:
			v.DataAt = p.Offset
		}
	}
	if len(v.RootHash) != 64 {
		return Verity{}, fmt.Errorf("systemd-repart made no hashes: %s", made)
	}
	return v, nil
}
