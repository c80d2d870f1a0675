package debian

import (
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// StateFile is where dpkg keeps the states of packages.
func (Family) StateFile() string { return "var/lib/dpkg/status" }

// SumFiles are where dpkg keeps the sums of a package's files: packages that can
// be there for several architectures at once have theirs in the name.
func (Family) SumFiles(p distro.Package) []string {
	const info = "var/lib/dpkg/info/"
	return []string{info + p.Name + ".md5sums", info + p.Name + ":" + p.Arch + ".md5sums"}
}

// ReadState reads a dpkg status file; see dpkg(1).
func (Family) ReadState(text string) distro.State {
	var s distro.State
	for p, state := range states(text) {
		switch state {
		case "installed":
			s.Installed = append(s.Installed, p)
		case "not-installed", "config-files":
		default:
			s.Unfinished = append(s.Unfinished, p.String()+": "+state)
		}
	}
	slices.SortFunc(s.Installed, distro.Package.Compare)
	slices.Sort(s.Unfinished)
	return s
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
