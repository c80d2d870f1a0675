package imagetool

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Partition is a partition that has been made and waits in a file.
type Partition struct {
	// UUID is the partition's own, Type its type as sfdisk(8) takes it.
	UUID, Type string
	// MiB is the partition's size.
	MiB int64
	// Syslinux is set if the partition is the one to boot by syslinux.
	Syslinux bool
	// File holds the contents; it is at most as large as the partition.
	File string
	// Label is the partition's name, or "".
	Label string
}

// String is the line that makepart hands to makedisk.
func (p Partition) String() string {
	syslinux := "0"
	if p.Syslinux {
		syslinux = "1"
	}
	return strings.Join([]string{p.UUID, p.Type, strconv.FormatInt(p.MiB, 10), syslinux, p.File, p.Label}, "\t")
}

// partitionName is what can be put between the quotes of sfdisk's input.
var partitionName = regexp.MustCompile(`^[^"\\\x00-\x1f\x7f]*$`)

// ParsePartitions reads such lines. All that is wrong with them is in the
// *FaultsError.
func ParsePartitions(r io.Reader) ([]Partition, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read partitions: %w", err)
	}
	faults := &FaultsError{Input: "partitions"}
	var all []Partition
	lines := map[string]int{}
	for i, line := range strings.Split(string(data), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		p, err := parsePartition(line)
		if err != nil {
			faults.add(i+1, line, "%v", err)
			continue
		}
		if first := lines[strings.ToLower(p.UUID)]; first != 0 {
			faults.add(i+1, line, "this UUID is already in line %d", first)
		}
		lines[strings.ToLower(p.UUID)] = i + 1
		all = append(all, p)
	}
	if len(all) == 0 && len(faults.Faults) == 0 {
		faults.add(0, "", "there are none")
	}
	if err := faults.result(); err != nil {
		return nil, err
	}
	return all, nil
}

func parsePartition(line string) (Partition, error) {
	// Runs of tabs count as one, as for the shell's read.
	f := strings.FieldsFunc(line, func(r rune) bool { return r == '\t' })
	if len(f) != 5 && len(f) != 6 {
		return Partition{}, fmt.Errorf("UUID, type, MiB, syslinux, file and perhaps label are needed, with tabs between, not %d fields", len(f))
	}
	mibs, err := strconv.ParseInt(f[2], 10, 64)
	switch {
	case !uuidPattern.MatchString(f[0]):
		return Partition{}, fmt.Errorf("%q is not a UUID", f[0])
	case !partitionType.MatchString(f[1]):
		return Partition{}, fmt.Errorf("%q is not a partition type", f[1])
	case err != nil || mibs <= 0 || mibs > 1<<30:
		return Partition{}, fmt.Errorf("%q is not a number of MiB", f[2])
	case f[3] != "0" && f[3] != "1":
		return Partition{}, fmt.Errorf("syslinux is 0 or 1, not %q", f[3])
	}
	p := Partition{UUID: f[0], Type: f[1], MiB: mibs, Syslinux: f[3] == "1", File: f[4]}
	if len(f) == 6 {
		p.Label = f[5]
	}
	if !partitionName.MatchString(p.Label) {
		return Partition{}, fmt.Errorf("%q cannot be a partition's name", p.Label)
	}
	return p, nil
}
