package config

import "slices"

// readSources reads what a flavour writes on sources beside its main one.
func (l *loader) readSources(d *draft, s *scope) {
	b := d.block.Distribution
	for _, f := range []struct {
		attr boolAttr
		into **decision
	}{{b.Security, &d.security}, {b.Updates, &d.updates}, {b.Backports, &d.backports}} {
		value, diags := s.flag(f.attr)
		l.say(diags...)
		*f.into = value
	}
	mirror, diags := s.str(b.SecurityMirror)
	l.say(diags...)
	if d.securityMirror = mirror; mirror != nil && !mirror.bad {
		if problem := checkMirror(mirror.value); problem != "" {
			mirror.bad = true
			l.say(Fault(mirror.at, "Invalid mirror", "%q %s", mirror.value, problem))
		}
	}
	d.sources = l.sourceDrafts(b.Sources, s, nil, l.keyringOfTree)
}

// inheritSources takes over what a flavour does not write of sources.
func (d *draft) inheritSources(base *draft) {
	for _, f := range []struct{ own, inherited **decision }{{&d.security, &base.security}, {&d.updates, &base.updates}, {&d.backports, &base.backports}} {
		if *f.own == nil {
			*f.own = *f.inherited
		}
	}
	d.securityMirror = or(d.securityMirror, base.securityMirror)
	own := d.sources
	d.sources = slices.Clone(base.sources)
	for _, s := range own {
		if i := slices.IndexFunc(d.sources, func(b *sourceDraft) bool { return b.name == s.name }); i >= 0 {
			d.sources[i] = s.inherit(d.sources[i])
		} else {
			d.sources = append(d.sources, s)
		}
	}
}
