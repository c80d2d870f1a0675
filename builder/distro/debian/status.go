package debian

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Archived reads a dpkg status file. A package gets a made-up file: nothing can be downloaded for it, but the solver can
// choose it, and choose nothing else in its place.
func (database) Archived(text string) ([]distro.Archived, error) {
	var all []distro.Archived
	for stanza := range strings.SplitSeq(text, "\n\n") {
		words := strings.Fields(field([]byte(stanza), "Status"))
		if len(words) != 3 || words[2] != "installed" {
			continue
		}
		own := withoutFields(ownFields(stanza), "Status", "Conffiles", "Config-Version")
		p := distro.Archived{Package: distro.Package{Name: field([]byte(own), "Package"), Version: field([]byte(own), "Version"), Arch: field([]byte(own), "Architecture")}}
		own += fmt.Sprintf("Filename: local/%s\nSize: 1\nSHA256: %x\n%s: yes\n", poolName(p), sha256.Sum256([]byte("installed "+p.String())), localField)
		a, err := parsePackage([]byte(own))
		if err != nil {
			return nil, fmt.Errorf("read the list of packages: %s: %w", p, err)
		}
		all = append(all, a)
	}
	sortPackages(all)
	return all, nil
}

// withoutFields leaves fields out of a stanza, with the lines that they go on in.
func withoutFields(stanza string, names ...string) string {
	var b strings.Builder
	kept := true
	for line := range strings.Lines(stanza) {
		if line[0] != ' ' && line[0] != '\t' {
			kept = true
			for _, name := range names {
				if len(line) > len(name) && strings.EqualFold(line[:len(name)], name) && line[len(name)] == ':' {
					kept = false
				}
			}
		}
		if kept {
			b.WriteString(line)
		}
	}
	return b.String()
}
