package lock

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// A lock has a package's paragraph of the index, because the step that fetches packages is
// keyed by it and apt needs it. The fields that the lock has beside it are empty there. So no
// value is in the file twice.

// pinned are these fields of the paragraph, with their values.
func pinned(p distro.Archived) map[string]string {
	return map[string]string{
		"Package": p.Name, "Version": p.Version, "Architecture": p.Arch, "Filename": p.Filename,
		"Size": strconv.FormatInt(p.Size, 10), "SHA256": p.SHA256,
	}
}

// control returns a package's paragraph with the pinned fields left empty.
func control(p distro.Archived) string {
	fields := pinned(p)
	var b strings.Builder
	for line := range strings.Lines(p.Stanza) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if want, ok := fields[name]; ok && value == " "+want {
			line = strings.Replace(line, " "+want, "", 1)
		}
		b.WriteString(line)
	}
	return b.String()
}

// stanza fills in the pinned fields of such a paragraph, which must have each of them once,
// empty.
func stanza(p distro.Archived, control string) (string, error) {
	fields := pinned(p)
	var b strings.Builder
	for line := range strings.Lines(control) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		want, ok := fields[name]
		switch {
		case ok && value == "":
			delete(fields, name)
			line = name + ": " + want + "\n"
		case strings.TrimSpace(line) == "":
			return "", errors.New("its control has an empty line")
		default:
			for field := range pinned(p) {
				if strings.EqualFold(name, field) {
					return "", fmt.Errorf("its control has a second value for the field %s", field)
				}
			}
		}
		b.WriteString(line)
	}
	for _, name := range []string{"Package", "Version", "Architecture", "Filename", "Size", "SHA256"} {
		if _, left := fields[name]; left {
			return "", fmt.Errorf("its control lacks the empty field %s", name)
		}
	}
	return b.String(), nil
}
