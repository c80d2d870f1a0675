package debian

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// needs are the oldest versions that do, by purpose, with what older ones lack.
var needs = map[distro.Purpose][]need{
	distro.ForImage: {
		{"ostree", "2024.6", "cannot make a deployment's file system with given times"},
		{"e2fsprogs", "1.47.1", "makes other bytes each time"},
	},
	// Debian has had systemd-repart as a package of its own since.
	distro.ForVerity: {{"systemd", "257", "makes no disk images without loop devices"}},
}

type need struct{ name, version, lack string }

// known are packages of suites that were tried and lack something. A release keeps
// its versions.
var known = map[string][]distro.Package{
	"bookworm": {{Name: "ostree", Version: "2022.7-2+deb12u1"}, {Name: "e2fsprogs", Version: "1.47.0-2+b2"}, {Name: "systemd", Version: "252.39-1~deb12u1"}},
}

// Lacks compares versions of packages with those that are needed.
func (Family) Lacks(purpose distro.Purpose, suite string, resolved []distro.Package) string {
	if resolved == nil {
		resolved = known[suite]
	}
	var lacks []string
	for _, n := range needs[purpose] {
		for _, p := range resolved {
			if p.Name == n.name && CompareVersions(p.Version, n.version+"~") < 0 {
				lacks = append(lacks, fmt.Sprintf("its %s %s %s (%s and newer can do it)", p.Name, p.Version, n.lack, n.version))
			}
		}
	}
	return strings.Join(lacks, ", and ")
}
