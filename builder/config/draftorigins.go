package config

// origins are where the fields of a flavour come from that it, or one that it
// extends, writes.
func (d *draft) origins() map[string]Origin {
	all := map[string]Origin{}
	for name, t := range map[string]*text{
		"description": d.description, "family": d.family, "suite": d.suite, "arch": d.arch, "mirror": d.mirror, "keyring": d.keyring, "ca": d.ca,
	} {
		if t != nil && !t.bad {
			all[name] = Origin{t.at, t.outside}
		}
	}
	if len(d.components) > 0 {
		all["components"] = Origin{d.components[0].at, d.components[0].outside}
	}
	return all
}
