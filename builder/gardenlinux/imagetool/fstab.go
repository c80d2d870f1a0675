package imagetool

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// Entry is a line of an fstab as Garden Linux features have it: source, mount
// point, file system, options, and arguments that say how to make the
// partition.
type Entry struct {
	// Line and Text are where it stands, without the comment.
	Line int
	Text string

	Source, Target, FS, Options string
	// UUID and Label are what Source names, if it does.
	UUID, Label string

	// Type is the partition's type, "" for the usual one.
	Type string
	// Size is in bytes, 0 for what the files need.
	Size int64
	// Syslinux is set where it is asked for, Final on the partition that comes
	// last in the table.
	Syslinux, Final bool
}

// Root reports whether this is the root's entry.
func (e Entry) Root() bool { return e.Target != "" && strings.Trim(e.Target, "/") == "" }

// depth is the number of the mount point's names.
func (e Entry) depth() int {
	if e.Root() {
		return 0
	}
	return strings.Count(strings.Trim(e.Target, "/"), "/") + 1
}

// below reports whether the entry is mounted below another one.
func (e Entry) below(other Entry) bool {
	at, top := path.Clean(e.Target), path.Clean(other.Target)
	return e.mounted() && other.mounted() && at != top && strings.HasPrefix(at+"/", strings.TrimSuffix(top, "/")+"/")
}

func (e Entry) mounted() bool { return strings.HasPrefix(e.Target, "/") }

// ParseFstab reads an fstab. The entries come in the order in which their
// partitions are made and listed in the table: the deepest mount point first,
// among those of one depth the greatest line, by its bytes, as sort(1) with -r
// leaves them. An fstab with faults gives a *FaultsError with all of them.
func ParseFstab(r io.Reader) ([]Entry, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read fstab: %w", err)
	}
	faults := &FaultsError{Input: "fstab"}
	var entries []Entry
	for i, text := range strings.Split(string(data), "\n") {
		text, _, _ = strings.Cut(text, "#")
		if strings.TrimSpace(text) != "" {
			entries = append(entries, parseEntry(i+1, text, faults))
		}
	}
	if len(entries) == 0 {
		faults.add(0, "", "it has no entries: no feature has an fstab, or an fstab.mod removes all of its lines")
	} else {
		checkTogether(entries, faults)
	}
	if err := faults.result(); err != nil {
		return nil, err
	}
	sort.SliceStable(entries, func(i, j int) bool {
		if a, b := entries[i].depth(), entries[j].depth(); a != b {
			return a > b
		}
		return entries[i].Text > entries[j].Text
	})
	return entries, nil
}

func parseEntry(line int, text string, faults *FaultsError) Entry {
	fields := strings.Fields(text)
	e := Entry{Line: line, Text: strings.TrimSuffix(text, "\r")}
	fault := func(format string, args ...any) { faults.add(line, text, format, args...) }
	for i, to := range []*string{&e.Source, &e.Target, &e.FS, &e.Options} {
		if i < len(fields) {
			*to = fields[i]
		}
	}
	if len(fields) < 4 {
		fault("a line needs source, mount point, file system and options, and not %d fields", len(fields))
		return e
	}
	if len(fields) > 5 {
		fault("%q is too much: after the options come the arguments, without blanks, and nothing else", strings.Join(fields[5:], " "))
	} else if len(fields) == 5 {
		e.parseArgs(fields[4], fault)
	}
	e.parseSource(fault)
	switch {
	case e.FS != "ext4" && e.FS != "vfat" && e.FS != "swap":
		fault("unknown file system %q: there are ext4, vfat and swap", e.FS)
	case e.FS == "swap" && e.mounted():
		fault("swap is not mounted: write none instead of %s", e.Target)
	case e.FS == "swap" && e.Size == 0:
		fault("swap needs size=SIZE: there are no files to measure")
	case e.FS != "swap" && !e.mounted():
		fault("the mount point %q does not begin with /", e.Target)
	case e.mounted() && path.Clean(e.Target) != "/"+strings.Trim(e.Target, "/"):
		fault("the mount point %s is not written in the shortest way: %s", e.Target, path.Clean(e.Target))
	}
	if e.Syslinux && e.FS != "vfat" {
		fault("syslinux is installed into vfat only")
	}
	return e
}

func (e *Entry) parseArgs(args string, fault func(string, ...any)) {
	for _, arg := range strings.Split(args, ",") {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "":
			if value != "" {
				fault("unknown argument %q", arg)
			}
		case "type":
			e.Type = value
			if !partitionType.MatchString(value) {
				fault("%q is not a partition type: a GUID or a name such as uefi is", value)
			}
		case "size":
			var err error
			if e.Size, err = parseSize(value); err != nil {
				fault("%v", err)
				e.Size = mib // said once is enough
			}
		case "syslinux":
			e.Syslinux = true
		case "final_partition":
			e.Final = true
		default:
			fault("unknown argument %q: there are type=, size=, syslinux and final_partition", arg)
		}
	}
}

var (
	partitionType = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	uuidPattern   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	labelPattern  = regexp.MustCompile(`^[!-~]+$`)
	// labelSizes are the longest labels in bytes.
	labelSizes = map[string]int{"ext4": 16, "vfat": 11, "swap": 15}
)

func (e *Entry) parseSource(fault func(string, ...any)) {
	if uuid, ok := strings.CutPrefix(e.Source, "UUID="); ok {
		e.UUID = uuid
		if e.FS == "vfat" && !volumeIDPattern.MatchString(uuid) {
			fault("%q is not an identifier of a vfat file system: 1234-ABCD is one", uuid)
		} else if e.FS != "vfat" && !uuidPattern.MatchString(uuid) {
			fault("%q is not a UUID", uuid)
		}
	}
	if label, ok := strings.CutPrefix(e.Source, "LABEL="); ok {
		e.Label = label
		if longest, known := labelSizes[e.FS]; !labelPattern.MatchString(label) || strings.Contains(label, `"`) {
			fault("%q is not a label: it has characters of ASCII, and no quotes", label)
		} else if known && len(label) > longest {
			fault("the label %s has %d characters, but %s has space for %d", label, len(label), e.FS, longest)
		}
	}
}

// checkTogether finds what is wrong with several lines together.
func checkTogether(entries []Entry, faults *FaultsError) {
	roots := 0
	targets, sources, final := map[string]int{}, map[string]int{}, 0
	for _, e := range entries {
		if e.Root() {
			roots++
		}
		if at := path.Clean(e.Target); e.mounted() {
			if first := targets[at]; first != 0 {
				faults.add(e.Line, e.Text, "%s is already mounted in line %d", at, first)
			} else {
				targets[at] = e.Line
			}
		}
		if first := sources[e.Source]; first != 0 {
			faults.add(e.Line, e.Text, "the source %s is already in line %d", e.Source, first)
		} else {
			sources[e.Source] = e.Line
		}
		if !e.Final {
			continue
		}
		if final != 0 {
			faults.add(e.Line, e.Text, "final_partition is already in line %d", final)
		} else {
			final = e.Line
		}
	}
	if roots == 0 {
		faults.add(0, "", "there is no entry for /")
	}
}

var sizePattern = regexp.MustCompile(`^([0-9]+)(?:([KMGT])(B|iB)?)?$`)

// parseSize reads a size as truncate(1) does: 10M and 10MiB are the same, 10MB
// is less. It is more than nothing.
func parseSize(s string) (int64, error) {
	bad := fmt.Errorf("%q is not a size: 64MiB, 512M and 1G are", s)
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, bad
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	const largest = 1 << 50
	if err != nil || n == 0 || n > largest {
		return 0, bad
	}
	unit := int64(1024)
	if m[3] == "B" {
		unit = 1000
	}
	for range len(m[2]) * (1 + strings.Index("KMGT", m[2])) {
		n *= unit
		if n > largest {
			return 0, bad
		}
	}
	return n, nil
}
