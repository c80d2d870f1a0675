package config

import (
	"fmt"
	"slices"
	"strings"
)

// checkDistribution judges each field of a distribution where it is written,
// so that a fault is reported once however many flavours take it over. What is
// at fault is marked as bad.
func (l *loader) checkDistribution(d *draft) {
	l.say(oneOf("family", d.family, families)...)
	l.say(oneOf("architecture", d.arch, architectures)...)
	if t := d.suite; t != nil && !t.bad && !suitePattern.MatchString(t.value) {
		t.bad = true
		hint := ""
		if lower := strings.ToLower(t.value); suitePattern.MatchString(lower) {
			hint = fmt.Sprintf(" Did you mean %q?", lower)
		} else if name, ok := strings.CutPrefix(t.value, "$"); ok && suitePattern.MatchString(name) {
			hint = fmt.Sprintf(" A value of a matrix is written ${matrix.%s}, a variable ${var.%[1]s}.", name)
		}
		l.say(Fault(t.at, "Invalid suite", "%q cannot be the name of a suite: small letters, digits, ., + and - can.%s", t.value, hint))
	}
	if t := d.suite; t != nil && !t.bad && (d.mirror == nil || strings.Contains(d.mirror.value, ".debian.org/")) && (d.family == nil || d.family.value == families[0]) {
		if problem := notDebian(t.value); problem != "" {
			t.bad = true
			l.say(Fault(t.at, "Unknown suite", "%s", problem))
		}
	}
	if t := d.mirror; t != nil && !t.bad {
		if problem := checkMirror(t.value); problem != "" {
			t.bad = true
			if with := "http://" + t.value; strings.Contains(t.value, ".") && !strings.Contains(t.value, ":") && checkMirror(with) == "" {
				problem += fmt.Sprintf(" Did you mean %q?", with)
			}
			l.say(Fault(t.at, "Invalid mirror", "%q %s", t.value, problem))
		}
	}
	l.checkArchitectures(d)
	for i, t := range d.components {
		if !componentPattern.MatchString(t.value) {
			l.say(Fault(t.at, "Invalid component", "%q cannot be a component of an archive; main and contrib are some.", t.value))
		} else if slices.ContainsFunc(d.components[:i], func(before text) bool { return before.value == t.value }) {
			l.say(Fault(t.at, "Named twice", "%q is in components already.", t.value))
		}
	}
	if a := d.block.Distribution.Components; a != nil && d.components != nil && len(d.components) == 0 {
		l.say(Fault(a.Expr.Range(), "Empty list", "Without components there are no packages; omit the field to use main only."))
	}
	if t := d.keyring; t != nil && !t.bad {
		l.keyringOfTree(t)
	}
}

// flavour makes a flavour of a draft with all that it takes over, and checks
// what only the whole can tell.
func (l *loader) flavour(d, whole *draft) *Flavour {
	f := &Flavour{Name: d.name, Range: d.at, Settings: whole.settings, Origins: whole.origins()}
	if t := whole.description; t != nil {
		f.Description = t.value
	}
	dist := &f.Distribution
	field := func(t *text, fallback string) string {
		if t == nil || t.bad {
			return fallback
		}
		return t.value
	}
	fallback := tagOf[distributionBlock]
	dist.Family = field(whole.family, fallback("Family", "default"))
	dist.Suite = field(whole.suite, "")
	if whole.suite != nil {
		dist.SuiteRange = whole.suite.at
	}
	dist.Arch = field(whole.arch, fallback("Arch", "default"))
	dist.Mirror = field(whole.mirror, fallback("Mirror", "default"))
	dist.Mirror = strings.TrimRight(dist.Mirror, "/")
	dist.Keyring, dist.CA = field(whole.keyring, ""), field(whole.ca, "")
	dist.Architectures = slices.DeleteFunc(names(whole.architectures), func(arch string) bool { return arch == dist.Arch })
	dist.Components = names(whole.components)
	if len(dist.Components) == 0 {
		dist.Components = []string{fallback("Components", "default")}
	}
	dist.Range, dist.Places = d.distribution, whole.places()
	dist.Sources = l.flavourSources(d, whole, dist)
	if whole.suite == nil {
		l.say(Fault(d.distribution, "Missing suite", "Flavour %q needs a suite in its distribution, such as testing; there is no default for it.", d.name))
	}
	for _, t := range whole.features {
		f.Features = append(f.Features, FeatureRef{Name: t.value, Range: t.at})
	}
	if len(f.Features) == 0 && !whole.open {
		at := d.at
		if a := d.block.Features; a != nil {
			at = a.Expr.Range()
		}
		l.say(Fault(at, "No features", "Flavour %q has no features; a system is composed of at least one.", d.name))
	}
	f.Content = l.finished(whole.content)
	f.Sign = l.sign(whole.sign, d.sign)
	f.Verity = whole.verity.whole()
	return f
}

// IsFlavourName reports whether a flavour may be called so.
func IsFlavourName(name string) bool { return flavourPattern.MatchString(name) }

// IsFeatureName reports whether a feature may be called so.
func IsFeatureName(name string) bool { return featurePattern.MatchString(name) }
