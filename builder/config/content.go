package config

import (
	"cmp"
	"slices"
)

// FlavourFeature is what the steps of a flavour's own content are named after, as if
// it were a feature. No feature can have the name.
const FlavourFeature = "flavour"

// contentDraft is the content that one flavour block writes. What is nil was not
// written there.
type contentDraft struct {
	packages, addPackages, kernelArgs []text
	excludePackages, excludeFiles     []text
	files                             []Generated
	units                             []Unit
	users                             []User
	groups                            []Group
	timezone, locale, keymap          *text
	sysctl                            []Sysctl
	// removed are the entries of inherited mappings that are left out, by field.
	removed map[string][]removal
}

// size is how much there is, for the bound on all flavours together.
func (c *contentDraft) size() int {
	return len(c.packages) + len(c.excludePackages) + len(c.excludeFiles) + len(c.kernelArgs) + len(c.files) + len(c.units) + len(c.users) + len(c.groups) + len(c.sysctl)
}

// inherit returns the draft with what it takes over from another one. open reports that
// the other one may have more than is known here.
func (l *loader) inherit(own, base contentDraft, open bool) contentDraft {
	w := own
	if own.packages == nil {
		w.packages = base.packages
	}
	w.packages = l.addedPackages(w.packages, own.addPackages)
	for into, inherited := range map[*[]text][]text{
		&w.kernelArgs: base.kernelArgs, &w.excludePackages: base.excludePackages, &w.excludeFiles: base.excludeFiles,
	} {
		if *into == nil {
			*into = inherited
		}
	}
	w.timezone, w.locale, w.keymap = or(own.timezone, base.timezone), or(own.locale, base.locale), or(own.keymap, base.keymap)
	w.units = mergedBy(base.units, own.units, func(u Unit) string { return u.Name })
	w.files = merged(l, "files", base.files, own.files, own.removed, open, func(f Generated) string { return f.Path })
	w.users = merged(l, "users", base.users, own.users, own.removed, open, func(u User) string { return u.Name })
	w.groups = merged(l, "groups", base.groups, own.groups, own.removed, open, func(g Group) string { return g.Name })
	w.sysctl = merged(l, "sysctl", base.sysctl, own.sysctl, own.removed, open, func(s Sysctl) string { return s.Name })
	return w
}

// merged is [mergedBy] for a mapping, of which entries can be removed.
func merged[T any](l *loader, field string, inherited, own []T, removed map[string][]removal, open bool, name func(T) string) []T {
	return mergedBy(without(l, field, inherited, removed[field], open, name), own, name)
}

// addedPackages appends packages to a list that must not have them yet.
func (l *loader) addedPackages(list, added []text) []text {
	if len(added) == 0 {
		return list
	}
	list = slices.Clone(list)
	for _, t := range added {
		if i := indexOf(list, t.value); i >= 0 {
			l.say(Fault(t.at, "Package named twice", "%q is named already at %s.", t.value, PlaceOf(list[i].at)))
			continue
		}
		list = append(list, t)
	}
	return list
}

// mergedBy returns what is inherited with what is a flavour's own in its place or
// besides it, sorted by name. Of several with one name all are kept that were written
// together.
func mergedBy[T any](inherited, own []T, name func(T) string) []T {
	replaced := map[string]bool{}
	for _, x := range own {
		replaced[name(x)] = true
	}
	out := slices.Clone(own)
	for _, x := range inherited {
		if !replaced[name(x)] {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return out
}
