package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// templateVariable is a variable of a URL template.
var templateVariable = regexp.MustCompile(`\{[^{}]*\}`)

// readSnapshots reads the URL templates of archives that keep packages.
func (l *loader) readSnapshots(attr listAttr) {
	list, _, diags := plain.list(attr)
	l.say(diags...)
	for _, t := range list {
		switch problem := checkSnapshot(t.value); {
		case problem != "":
			l.say(Fault(t.at, "Invalid snapshot archive", "%q %s", t.value, problem))
		case slices.ContainsFunc(l.project.Snapshots, func(o Line) bool { return o.Text == t.value }):
			l.say(Fault(t.at, "Named twice", "%q is in snapshots already.", t.value))
		default:
			l.project.Snapshots = append(l.project.Snapshots, Line{Text: t.value, Range: t.at})
		}
	}
}

// checkSnapshot returns what is wrong with a template, as the end of a sentence.
func checkSnapshot(template string) string {
	which := false
	for _, found := range templateVariable.FindAllString(template, -1) {
		name := strings.Trim(found, "{}")
		if !slices.Contains(distro.SnapshotVariables, name) {
			return "has " + found + ", which is not a variable; there are {" + strings.Join(distro.SnapshotVariables, "}, {") + "}." + DidYouMean(name, distro.SnapshotVariables)
		}
		which = which || slices.Contains(distro.SnapshotNames, name)
	}
	if !which {
		return "is the same URL for all packages: it needs one of {" + strings.Join(distro.SnapshotNames, "}, {") + "}."
	}
	u, err := url.Parse(templateVariable.ReplaceAllString(template, "x"))
	switch {
	case err != nil || strings.ContainsAny(template, " \t") || strings.ContainsAny(templateVariable.ReplaceAllString(template, "x"), "{}"):
		return "is not a URL."
	case u.Scheme == "file" && u.Host == "" && strings.HasPrefix(u.Path, "/"), (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
		return ""
	}
	return "is not a URL that begins with http://, https:// or file:///."
}
