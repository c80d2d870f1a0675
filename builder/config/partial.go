package config

import (
	"slices"
	"strings"
)

// additions are the endings of names of Debian's suites that only add to another
// suite, each with how to write that, as the end of a sentence. A longer ending comes
// before one that is its end.
var additions = []struct{ ending, how string }{
	{"-proposed-updates", ", and let a source have this one"},
	{"-updates", ", to which it is added"},
	{"-security", ", to which its security updates are added"},
	{"-backports-sloppy", ", and let a source have this one"},
	{"-backports", " and " + writeBackports},
}

// writeBackports is a placeholder for the field backports in the syntax of the file.
const writeBackports = "BACKPORTS"

// addition reports whether a suite only adds to another one, to which, and how to write
// that.
func addition(suite string) (whole, how string, ok bool) {
	for _, a := range additions {
		if whole, ok := strings.CutSuffix(suite, a.ending); ok {
			return whole, a.how, true
		}
	}
	return "", "", false
}

// tried are Debian's suites for packages that are still being tried.
var tried = []string{"experimental", "rc-buggy"}

// partial reports a suite of Debian without the packages that every system has: what
// it has is added to another suite. A flavour that inherits it is not reported again.
func (l *loader) partial(d *draft, suite string) bool {
	t := d.suite
	if t == nil || t.bad {
		return false
	}
	if slices.Contains(tried, suite) {
		l.say(Fault(t.at, "Suite for additions", "The suite %q has only packages that are tried out, for systems of sid: write %s, and let a source have the suite %q.", suite, TextInSyntax(t.at, "suite", "sid"), suite))
		return true
	}
	if suite == "proposed-updates" {
		suite = "stable-proposed-updates"
	}
	if whole, how, ok := addition(suite); ok {
		how = strings.Replace(how, writeBackports, InSyntax(t.at, "backports", "true"), 1)
		l.say(Fault(t.at, "Suite for additions", "The suite %q has only packages that are added to %q: write %s%s.", t.value, whole, TextInSyntax(t.at, "suite", whole), how))
		return true
	}
	return false
}
