package gardenlinux

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux/system"
)

// Defaults is the part of a query that says more than what is asked for.
type Defaults struct {
	Arch              string `json:"arch"`
	Version           string `json:"version"`
	DefaultArch       string `json:"default_arch"`
	DefaultVersion    string `json:"default_version"`
	AllowFrankenstein bool   `json:"allow_frankenstein"`
}

// Query asks what belongs to a cname or, if there is none, to features.
type Query struct {
	CName    string   `json:"cname"`
	Features []string `json:"features"`
	Ignore   []string `json:"ignore"`
	Defaults
}

// commaList splits a list as the Garden Linux builder does: empty names do not count.
func commaList(s string) []string { return withoutEmpty(strings.Split(s, ",")) }

func withoutEmpty(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// Asked is a query's subject, with what is known of architecture and
// version: "" if nothing is.
type Asked struct {
	Features      []string
	Arch, Version string
}

func (q *Query) Asked() (Asked, error) {
	a := Asked{Features: q.Features}
	switch {
	case q.CName != "" && len(q.Features) > 0:
		return a, diag.Requestf("a cname and a list of features are given: only one of them can be resolved")
	case q.CName == "" && len(q.Features) == 0:
		return a, diag.Requestf("nothing to resolve: give a cname or a list of features")
	case q.CName != "":
		var err error
		if a.Features, a.Arch, a.Version, err = system.ParseCName(q.CName); err != nil {
			return a, diag.Requestf("%s is not a cname: it is FEATURES, FEATURES-ARCH or FEATURES-ARCH-VERSION, begins with a small letter, "+
				"and holds letters, digits, - and _; the architecture is amd64 or arm64", quoted(q.CName))
		}
	}
	a.Arch = cmp.Or(q.Arch, a.Arch, q.DefaultArch)
	a.Version = cmp.Or(q.Version, a.Version, q.DefaultVersion)
	return a, nil
}

// CName is the canonical name of a selection.
func CName(s *compose.Selection, asked Asked) string {
	return s.CanonicalName + "-" + asked.Arch + "-" + asked.Version
}

// platformProblem describes what is wrong with the platforms of a selection, or "".
func platformProblem(s *compose.Selection) string {
	switch platforms := s.Platforms(); len(platforms) {
	case 0:
		return fmt.Sprintf("%s has no platform, and exactly one is needed", s.CanonicalName)
	case 1:
		return ""
	default:
		return fmt.Sprintf("%s has %d platforms (%s), and exactly one is needed", s.CanonicalName, len(platforms), strings.Join(platforms, ", "))
	}
}
