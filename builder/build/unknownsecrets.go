package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
)

// UnknownSecrets finds secrets that are given but that none of the subjects asks for,
// and those whose file does not exist.
func (b *Builder) UnknownSecrets(subjects ...*Subject) error {
	var specs []*compose.Spec
	for _, s := range subjects {
		specs = append(specs, s.Spec)
	}
	return b.unknownSecrets(specs)
}

// UnknownSecretsOf does the same for all flavours of a tree that has no faults.
func (b *Builder) UnknownSecretsOf(p *config.Project) error {
	if len(b.secrets) == 0 {
		return nil
	}
	var specs []*compose.Spec
	err := b.Bounded(func() error {
		specs = slices.Collect(compose.All(p))
		return nil
	})
	if err != nil {
		return err
	}
	return b.unknownSecrets(specs)
}

func (b *Builder) unknownSecrets(specs []*compose.Spec) error {
	known := []string{AuthSecret}
	for _, s := range specs {
		for _, secret := range s.Secrets() {
			known = append(known, secret.Name)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, name := range slices.Sorted(maps.Keys(b.secrets)) {
		f := b.secrets[name]
		switch {
		case name == AuthSecret: // looked at before
		case slices.Contains(known, name):
			if err := f.look(name, b.options.Say); err != nil {
				return err
			}
		case f.asked:
			return diag.Requestf("nothing asks for the secret %q, only for %s%s", name, strings.Join(known, ", "), meantSecret(name, known, specs))
		default:
			b.options.Say(fmt.Sprintf("%s%s: nothing asks for the secret %q%s", secretPrefix, name, name, meantSecret(name, known, specs)))
		}
	}
	return nil
}

// meantSecret suggests, as the end of a sentence, what somebody meant by a name that
// is not that of a secret. Often it is the name of a parameter.
func meantSecret(name string, known []string, specs []*compose.Spec) string {
	parameter := ""
	for _, s := range specs {
		for _, f := range s.AllFeatures() {
			for _, p := range f.Parameters {
				if p.Name != name {
					continue
				}
				value := s.Parameters[f.Name][p.Name].String()
				switch {
				case !p.Secret:
					parameter = cmp.Or(parameter, fmt.Sprintf("; the parameter %q of feature %q is not a secret: its declaration lacks secret: true", name, f.Name))
				case value == "":
					parameter = fmt.Sprintf("; the parameter %q of feature %q names no secret: a flavour sets the name", name, f.Name)
				default:
					return fmt.Sprintf("; did you mean %q, which the parameter %q of feature %q names?", value, name, f.Name)
				}
			}
		}
	}
	if meant := config.Suggest(name, known); parameter == "" && meant != "" {
		return fmt.Sprintf("; did you mean %q?", meant)
	}
	return parameter
}
