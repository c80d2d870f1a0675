package compose

import (
	"maps"

	"github.com/treewright/treewright/builder/config"
)

// Above returns a spec of the same flavour that has nothing but one extension: packages that no feature asks for. Its image
// has the form in which machines of the flavour accept extensions: signed if the flavour has a key for that, or if its
// machines merge only signed ones.
func (s *Spec) Above(name string, packages []Want) *Spec {
	f := &config.Feature{Name: name, Type: config.Extension, Range: s.Flavour.Range}
	above := &Spec{
		Flavour: s.Flavour, Sources: s.Sources, CanonicalName: s.CanonicalName, Parameters: maps.Clone(s.Parameters),
		Extensions: []Extension{{Name: name, Feature: f, Packages: packages}},
	}
	if above.Parameters == nil {
		above.Parameters = map[string]map[string]Value{}
	}
	if s.SignedOnly() || s.Flavour.Verity.Signs() {
		above.Parameters[name] = map[string]Value{FormatParameter: {Any: "ddi"}}
	}
	return above
}
