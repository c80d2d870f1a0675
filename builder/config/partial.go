package config

import (
	"slices"
	"strings"
)

// additions are the endings of suites of Debian that are added to another one, and
// how, as the end of a sentence. Longer ones come before those that they end with.
var additions = []struct{ ending, how string }{
	{"-proposed-updates", ", and let a source have this one"},
	{"-updates", ", to which it is added"},
	{"-security", ", to which its security updates are added"},
	{"-backports-sloppy", ", and let a source have this one"},
	{"-backports", " and backports = true"},
}

// tried are the suites of Debian for packages that are not for everybody yet.
var tried = []string{"experimental", "rc-buggy"}

// partial reports a suite of Debian without the packages that every system has: what
// it has is added to another suite. A flavour that inherits it is not reported again.
func (l *loader) partial(d *draft, suite string) bool {
	t := d.suite
	if t == nil || t.bad {
		return false
	}
	if slices.Contains(tried, suite) {
		l.say(Fault(t.at, "Suite for additions", "The suite %q has only packages that are tried out, for systems of sid: write suite = \"sid\", and let a source have the suite %q.", suite, suite))
		return true
	}
	if suite == "proposed-updates" {
		suite = "stable-proposed-updates"
	}
	for _, a := range additions {
		if whole, found := strings.CutSuffix(suite, a.ending); found {
			l.say(Fault(t.at, "Suite for additions", "The suite %q has only packages that are added to %q: write suite = %q%s.", t.value, whole, whole, a.how))
			return true
		}
	}
	return false
}
