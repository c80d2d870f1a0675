package trial

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/vm"
)

// Names returns the tests of a subject's features as FEATURE/TEST, in the order in which
// they run, of those that are chosen: each by FEATURE/TEST, or all of a feature by
// FEATURE or FEATURE/*. If none is chosen, it is all of them. One that is not there is
// an error.
func Names(b *build.Builder, s *build.Subject, chosen []string) ([]string, error) {
	if !s.Tested {
		if len(chosen) > 0 {
			return nil, diag.Requestf("%s has no tests of features to choose from: it is only booted", s.Flavour())
		}
		return nil, nil
	}
	system, extensions, err := featureTests(b, s)
	if err != nil {
		return nil, err
	}
	if system, extensions, err = choose(system, extensions, chosen); err != nil {
		return nil, err
	}
	var names []string
	for _, t := range flat(system, extensions) {
		for _, name := range t.Names {
			names = append(names, t.Feature+"/"+name)
		}
	}
	return names, nil
}

// flat are the tests of the system, then those of the extensions.
func flat(system []vm.Tests, extensions []vm.Extension) []vm.Tests {
	all := slices.Clone(system)
	for _, e := range extensions {
		all = append(all, e.Tests...)
	}
	return all
}

// choose keeps the tests that are chosen, and the extensions that have any of them; all
// if none is chosen.
func choose(system []vm.Tests, extensions []vm.Extension, chosen []string) ([]vm.Tests, []vm.Extension, error) {
	if len(chosen) == 0 {
		return system, extensions, nil
	}
	all := flat(system, extensions)
	for _, choice := range chosen {
		if err := exists(all, choice); err != nil {
			return nil, nil, err
		}
	}
	keep := func(from []vm.Tests) []vm.Tests {
		var kept []vm.Tests
		for _, t := range from {
			t.Names = slices.DeleteFunc(slices.Clone(t.Names), func(name string) bool {
				return !slices.ContainsFunc(chosen, func(choice string) bool {
					feature, test := split(choice)
					return feature == t.Feature && (test == "" || test == name)
				})
			})
			if len(t.Names) > 0 {
				kept = append(kept, t)
			}
		}
		return kept
	}
	var with []vm.Extension
	for _, e := range extensions {
		if e.Tests = keep(e.Tests); len(e.Tests) > 0 {
			with = append(with, e)
		}
	}
	return keep(system), with, nil
}

// split takes a choice apart; test is "" for all of a feature.
func split(choice string) (feature, test string) {
	feature, test, _ = strings.Cut(choice, "/")
	if test == "*" {
		test = ""
	}
	return feature, test
}

// ownPoints are the groups of points that no feature brings.
var ownPoints = []string{"machine", "network", "extension", "upgrade", "power-cut", "rollback", "boot-health", "packages"}

// exists reports what is wrong with a choice.
func exists(all []vm.Tests, choice string) error {
	feature, test := split(choice)
	var features, names []string
	for _, t := range all {
		if t.Feature == feature {
			switch {
			case len(t.Names) == 0:
				return diag.Requestf("feature %q has no tests: there are no executables in its directory test", feature)
			case test == "" || slices.Contains(t.Names, test):
				return nil
			}
			return diag.Requestf("feature %q has no test %q%s", feature, test, orOneOf(config.Suggest(test, t.Names), feature+"/", t.Names))
		}
		if len(t.Names) > 0 {
			features = append(features, t.Feature)
		}
		for _, name := range t.Names {
			names = append(names, t.Feature+"/"+name)
		}
	}
	if slices.Contains(ownPoints, feature) {
		return diag.Requestf("%s is not a feature's test: only those can be chosen; the machine is always booted, and --upgrade adds the upgrade as a whole", choice)
	}
	near := config.Suggest(choice, append(names, features...))
	if near == "" {
		near = config.Suggest(feature, features)
	}
	return diag.Requestf("none of the features with tests is called %q%s", feature, orOneOf(near, "", features))
}

// orOneOf is the end of a message on an unknown name: the one that was meant, or all
// there are.
func orOneOf(near, before string, all []string) string {
	if near != "" {
		return fmt.Sprintf("; did you mean %s%s?", before, near)
	}
	return fmt.Sprintf("; there are: %s", strings.Join(all, ", "))
}
