package trial

import (
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/vm"
)

// findTests puts the features' tests into the scenario and returns them all.
func (b *Bench) findTests(s *vm.Scenario) ([]vm.Tests, error) {
	find := func(f *config.Feature) (vm.Tests, error) {
		dir, err := b.builder.FeatureDir(f)
		if err != nil {
			return vm.Tests{}, err
		}
		return vm.FindTests(f.Name, dir, b.Subject.Spec.Environment(f.Name))
	}
	var all []vm.Tests
	s.Listens = b.Subject.Spec.Listens
	for _, f := range b.Subject.Spec.Features {
		t, err := find(f)
		if err != nil {
			return nil, err
		}
		s.System = append(s.System, t)
	}
	all = append(all, s.System...)
	for _, e := range b.Subject.Spec.Extensions {
		ext := vm.Extension{Name: e.Name, Listens: e.Listens}
		for _, f := range e.Features {
			t, err := find(f)
			if err != nil {
				return nil, err
			}
			ext.Tests = append(ext.Tests, t)
		}
		all = append(all, ext.Tests...)
		s.Extensions = append(s.Extensions, ext)
	}
	return all, nil
}
