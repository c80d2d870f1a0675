package config

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// The bounds of the block.
const (
	mostExtendJobs     = 64
	mostExtendQueue    = 1000
	mostExtendPackages = 500 // extend.MostPackages; a test compares the two
	mostExtendTimeout  = 24 * time.Hour
)

// extendPattern has the characters of names of packages (Debian policy 5.6.1) and the characters of patterns.
var extendPattern = regexp.MustCompile(`^[a-z0-9*?\[\]^+.-]+$`)

// readExtend reads the block extend of the tree that is built.
func (l *loader) readExtend(b *extendBlock) {
	if b == nil {
		return
	}
	e := &Extend{
		Packages: l.extendPackages(b), Timeout: l.extendTimeout(b.Timeout),
		Jobs: l.numberUpTo(b.Jobs, 1, mostExtendJobs), Queue: l.numberUpTo(b.Queue, 20, mostExtendQueue),
		MostPackages: l.numberUpTo(b.MostPackages, 50, mostExtendPackages),
	}
	if b.Sources != nil {
		l.extendSources = l.lines(b.Sources)
		if len(l.extendSources) == 0 {
			l.say(Fault(b.Sources.Expr.Range(), "Empty list", "Without a source there are no packages; omit the field to use all sources of the flavour."))
		}
		for _, line := range l.extendSources {
			e.Sources = append(e.Sources, line.Text)
		}
	}
	l.project.Extend = e
}

// extendPackages reads the packages that machines may ask for.
func (l *loader) extendPackages(b *extendBlock) (patterns []string) {
	const what = `names of packages that machines may ask for, and patterns such as "vim*"; ["*"] allows all`
	if b.Packages == nil {
		l.say(Fault(b.Range, "Missing packages", "extend needs packages: %s.", what))
		return nil
	}
	lines := l.lines(b.Packages)
	if list, bad, _ := plain.list(b.Packages); len(list) == 0 && !bad {
		l.say(Fault(b.Packages.Expr.Range(), "Empty list", "No machine could ask for anything. Write %s; or remove the block.", what))
	}
	for _, line := range lines {
		_, err := path.Match(line.Text, "")
		switch {
		case line.Text != strings.ToLower(line.Text) && extendPattern.MatchString(strings.ToLower(line.Text)):
			l.say(Fault(line.Range, "Invalid package", "%q matches no package, because names of packages have small letters only. Did you mean %q?", line.Text, strings.ToLower(line.Text)))
		case err != nil:
			l.say(Fault(line.Range, "Invalid package", "%q is not a pattern: * is any text, ? any character, [a-c] one of these.", line.Text))
		case !extendPattern.MatchString(line.Text):
			l.say(Fault(line.Range, "Invalid package", "%q is neither the name of a package nor a pattern of names. Versions, suites and architectures cannot be given.", line.Text))
		case slices.Contains(patterns, line.Text):
			l.say(Fault(line.Range, "Named twice", "%q is in packages already.", line.Text))
		default:
			patterns = append(patterns, line.Text)
		}
	}
	return patterns
}

// numberUpTo reads a number from 1 to most.
func (l *loader) numberUpTo(attr intAttr, fallback, most int64) int {
	n, diags := plain.integer(attr)
	l.say(diags...)
	switch {
	case n == nil:
		return int(fallback)
	case *n < 1 || *n > most:
		l.say(Fault(attr.Expr.Range(), "Invalid number", "%s is a number from 1 to %d.", attr.Name, most))
		return int(fallback)
	}
	return int(*n)
}

// extendTimeout reads the time that a job may take.
func (l *loader) extendTimeout(attr stringAttr) time.Duration {
	const fallback = 30 * time.Minute
	t, diags := plain.str(attr)
	l.say(diags...)
	if t == nil || t.bad {
		return fallback
	}
	d, err := time.ParseDuration(t.value)
	if err != nil || d <= 0 || d > mostExtendTimeout {
		l.say(Fault(t.at, "Invalid duration", `%q is not a duration up to 24h: write "90s", "30m" or "2h".`, t.value))
		return fallback
	}
	return d
}

// checkExtendSources finds names in the block extend that are not names of sources.
func (l *loader) checkExtendSources() {
	if l.unreadable || l.unopened {
		return // they may be declared there
	}
	known := append([]string{distro.MainSource}, distro.OwnSources...)
	add := func(sources []Source) {
		for _, s := range sources {
			known = append(known, s.Name)
		}
	}
	for _, f := range l.project.Flavours {
		add(f.Distribution.Sources)
	}
	for _, f := range l.project.Features {
		add(f.Sources)
	}
	for i, line := range l.extendSources {
		switch {
		case !slices.Contains(known, line.Text):
			l.say(Fault(line.Range, "Unknown source", "No flavour and no feature has a source %q.%s", line.Text, DidYouMean(line.Text, known)))
		case slices.ContainsFunc(l.extendSources[:i], func(o Line) bool { return o.Text == line.Text }):
			l.say(Fault(line.Range, "Named twice", "%q is in sources already.", line.Text))
		}
	}
}
