package config

import "github.com/hashicorp/hcl/v2"

// places are where the fields of a draft's own archive are written, by what they are
// called of other sources.
func (d *draft) places() map[string][]hcl.Range {
	places := map[string][]hcl.Range{}
	for field, t := range map[string]*text{"urls": d.mirror, "suites": d.suite, "architectures": d.arch, "keyring": d.keyring, "ca": d.ca} {
		if t != nil {
			places[field] = []hcl.Range{t.at}
		}
	}
	for _, t := range d.components {
		places["components"] = append(places["components"], t.at)
	}
	return places
}
