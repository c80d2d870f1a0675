package debian

import (
	"slices"
	"strings"
)

// StatusFile is where dpkg keeps the states of packages, in a tree.
const StatusFile = "var/lib/dpkg/status"

// InfoDir is where dpkg keeps the packages' lists of files, in a tree.
const InfoDir = "var/lib/dpkg/info"

// StatusLines lists the installed packages of a dpkg status file as
// [distro.Closure.Lines] does, sorted.
func StatusLines(status string) []string {
	var lines []string
	for line, state := range states(status) {
		if state == "installed" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// Unfinished lists the packages of a dpkg status file whose installation or
// removal was not ended, as "NAME VERSION ARCH: STATE", sorted. See dpkg(1).
func Unfinished(status string) []string {
	var lines []string
	for line, state := range states(status) {
		switch state {
		case "installed", "not-installed", "config-files":
		default:
			lines = append(lines, line+": "+state)
		}
	}
	slices.Sort(lines)
	return lines
}

// states returns the state of each package, "NAME VERSION ARCH", in a dpkg
// status file.
func states(status string) map[string]string {
	out := map[string]string{}
	for stanza := range strings.SplitSeq(status, "\n\n") {
		field := map[string]string{}
		for line := range strings.Lines(stanza) {
			if name, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				field[name] = strings.TrimSpace(value)
			}
		}
		if words := strings.Fields(field["Status"]); len(words) == 3 {
			out[field["Package"]+" "+field["Version"]+" "+field["Architecture"]] = words[2]
		}
	}
	return out
}
