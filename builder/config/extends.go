package config

import (
	"fmt"
	"maps"
	"slices"
)

// maxExtends is how many flavours may extend each other in a row.
const maxExtends = 100

// ancestry works out what flavours take over from those they extend, each once.
type ancestry struct {
	loader *loader
	drafts map[string]*draft
	done   map[*draft]*draft
	// path are the flavours being worked out, each extended by the one before.
	path []*draft
}

// finish works out extends, and makes flavours of all drafts that are not
// abstract.
func (l *loader) finish(drafts []*draft) []*Flavour {
	a := &ancestry{loader: l, drafts: map[string]*draft{}, done: map[*draft]*draft{}}
	for _, d := range drafts {
		if !d.unnamed {
			a.drafts[d.name] = d
		}
	}
	var flavours []*Flavour
	mentions := 0
	for _, d := range drafts {
		whole := a.whole(d)
		if mentions += len(whole.features) + len(whole.settings) + whole.content.size(); mentions > maxMentions {
			l.stop(Fault(d.at, "Tree too large", "With this flavour, all flavours have more than %d features and settings together.", maxMentions))
		}
		switch {
		case d.unnamed:
		case d.abstract:
			l.project.unbuilt(d.name, "is abstract, for others to extend")
		default:
			flavours = append(flavours, l.flavour(d, whole))
			if label := d.block.Label; label != d.name {
				l.project.unbuilt(label, fmt.Sprintf("is not one system: it makes others, such as %q", d.name))
			}
		}
	}
	return flavours
}

// unbuilt notes why the name of a flavour cannot be built, unless another flavour of
// that name can be.
func (p *Project) unbuilt(name, what string) {
	if p.Unbuilt == nil {
		p.Unbuilt = map[string]string{}
	}
	if p.Unbuilt[name] == "" {
		p.Unbuilt[name] = what
	}
}

// whole returns the draft with all that it takes over from the flavour it
// extends.
func (a *ancestry) whole(d *draft) *draft {
	if w := a.done[d]; w != nil {
		return w
	}
	if len(a.path) > maxExtends {
		a.loader.stop(Fault(d.at, "Chain too long", "Flavours may extend each other %d times in a row.", maxExtends))
	}
	if i := slices.Index(a.path, d); i >= 0 {
		var names []string
		for _, p := range append(a.path[i:], d) {
			names = append(names, p.name)
		}
		a.loader.say(Fault(d.extends.at, "Flavours extend each other", "Flavour %q extends itself: %s.", d.name, chain(names)))
		broken := *d
		broken.open, broken.suite = true, or(d.suite, &text{at: d.at, bad: true})
		a.done[d] = &broken
		return &broken
	}
	parent := a.parent(d)
	base := &draft{}
	if parent != nil {
		a.path = append(a.path, d)
		base = a.whole(parent)
		a.path = a.path[:len(a.path)-1]
	} else if d.extends != nil {
		base = &draft{open: true, suite: &text{at: d.at, bad: true}}
	}
	if w := a.done[d]; w != nil {
		return w
	}
	w := a.loader.merge(d, base)
	a.done[d] = w
	return w
}

// parent finds the flavour that another extends; nil if there is none to find.
func (a *ancestry) parent(d *draft) *draft {
	if d.extends == nil || d.extends.bad {
		return nil
	}
	parent := a.drafts[d.extends.value]
	if parent == nil && !a.loader.unreadable {
		a.loader.say(Fault(d.extends.at, "Unknown flavour", "There is no flavour %q to extend.%s", d.extends.value,
			DidYouMean(d.extends.value, slices.Sorted(maps.Keys(a.drafts)))))
	}
	return parent
}

func (l *loader) merge(d, base *draft) *draft {
	w := *d
	w.description = or(d.description, base.description)
	w.family, w.suite, w.arch = or(d.family, base.family), or(d.suite, base.suite), or(d.arch, base.arch)
	w.mirror, w.keyring = or(d.mirror, base.mirror), or(d.keyring, base.keyring)
	w.ca = or(d.ca, base.ca)
	if d.architectures == nil {
		w.architectures = base.architectures
	}
	if d.components == nil {
		w.components = base.components
	}
	w.inheritSources(base)
	if d.features == nil {
		w.features = base.features
		w.open = d.open || base.open
	}
	w.features = l.adjust(&w, d)
	w.content = l.inherit(d.content, base.content, base.open)
	w.sign = inheritSign(d.sign, base.sign)
	w.verity = d.verity.inherit(base.verity)

	// Settings of a feature that was left out go with it.
	w.settings = nil
	for _, inherited := range base.settings {
		if indexOf(base.features, inherited.Feature) < 0 || indexOf(w.features, inherited.Feature) >= 0 {
			w.settings = append(w.settings, inherited)
		}
	}
	at := map[[2]string]int{}
	for i, s := range w.settings {
		at[[2]string{s.Feature, s.Name}] = i
	}
	for _, own := range d.settings {
		key := [2]string{own.Feature, own.Name}
		if i, inherited := at[key]; inherited {
			w.settings[i] = own
			continue
		}
		at[key] = len(w.settings)
		w.settings = append(w.settings, own)
	}
	return &w
}

// adjust takes features out of a list and puts others in.
func (l *loader) adjust(w, d *draft) []text {
	if len(d.add)+len(d.remove) == 0 {
		return w.features
	}
	list := slices.Clone(w.features)
	for _, t := range d.remove {
		i := indexOf(list, t.value)
		if i >= 0 {
			list = slices.Delete(list, i, i+1)
			continue
		}
		if !w.open {
			l.say(Fault(t.at, "Feature not there", "%q cannot be removed, because it is not in the list of features.%s", t.value, DidYouMean(t.value, names(list))))
		}
	}
	at := map[string]int{}
	for i, t := range list {
		at[t.value] = i
	}
	for _, t := range d.add {
		if i, again := at[t.value]; again {
			l.namedTwice(list[i], t)
			continue
		}
		at[t.value] = len(list)
		list = append(list, t)
	}
	return list
}
