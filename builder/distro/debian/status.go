package debian

import (
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// StatusFile is where dpkg keeps the states of packages, in a tree.
const StatusFile = "var/lib/dpkg/status"

// InfoDir is where dpkg keeps the packages' lists of files, in a tree.
const InfoDir = "var/lib/dpkg/info"

// ReadStatus lists the installed packages of a dpkg status file, sorted.
func ReadStatus(status string) []distro.Package {
	var packages []distro.Package
	for p, state := range states(status) {
		if state == "installed" {
			packages = append(packages, p)
		}
	}
	slices.SortFunc(packages, distro.Package.Compare)
	return packages
}

// Unfinished lists the packages of a dpkg status file whose installation or
// removal was not ended, as "NAME VERSION ARCH: STATE", sorted. See dpkg(1).
func Unfinished(status string) []string {
	var lines []string
	for p, state := range states(status) {
		switch state {
		case "installed", "not-installed", "config-files":
		default:
			lines = append(lines, p.String()+": "+state)
		}
	}
	slices.Sort(lines)
	return lines
}

// states returns the state of each package in a dpkg status file.
func states(status string) map[distro.Package]string {
	out := map[distro.Package]string{}
	for stanza := range strings.SplitSeq(status, "\n\n") {
		field := map[string]string{}
		for line := range strings.Lines(stanza) {
			if name, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				field[name] = strings.TrimSpace(value)
			}
		}
		if words := strings.Fields(field["Status"]); len(words) == 3 {
			out[distro.Package{Name: field["Package"], Version: field["Version"], Arch: field["Architecture"]}] = words[2]
		}
	}
	return out
}
