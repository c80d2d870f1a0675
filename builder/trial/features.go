package trial

import (
	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/vm"
)

// featureTests returns the tests of a subject's features: those of the system, and
// those of each extension.
func featureTests(b *build.Builder, s *build.Subject) (system []vm.Tests, extensions []vm.Extension, err error) {
	find := func(features []*config.Feature) ([]vm.Tests, error) {
		var all []vm.Tests
		for _, f := range features {
			dir, err := b.FeatureDir(f)
			if err != nil {
				return nil, err
			}
			t, err := vm.FindTests(f.Name, dir, s.Spec.Environment(f.Name))
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
		return all, nil
	}
	if system, err = find(s.Spec.Features); err != nil {
		return nil, nil, err
	}
	for _, e := range s.Spec.Extensions {
		tests, err := find(e.Features)
		if err != nil {
			return nil, nil, err
		}
		extensions = append(extensions, vm.Extension{Name: e.Name, Listens: e.Listens, Tests: tests})
	}
	return system, extensions, nil
}
