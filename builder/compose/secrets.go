package compose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Secret is the use of a secret by a feature.
type Secret struct {
	Feature, Parameter string
	// Name is that of the secret.
	Name string
	// Early reports that exec.early gets it as well.
	Early bool
	// Range is where the name is written.
	Range hcl.Range
}

// Secrets are those that the selected features use, in the features' order and as
// their parameters are written. A parameter without a value uses none.
func (s *Spec) Secrets() []Secret {
	var all []Secret
	for _, f := range s.AllFeatures() {
		all = append(all, s.SecretsOf(f)...)
	}
	return all
}

// SecretsOf are those of one feature.
func (s *Spec) SecretsOf(f *config.Feature) []Secret {
	var all []Secret
	for _, p := range f.Parameters {
		if v := s.Parameters[f.Name][p.Name]; p.Secret && v.String() != "" {
			all = append(all, Secret{Feature: f.Name, Parameter: p.Name, Name: v.String(), Early: p.Early, Range: v.Range})
		}
	}
	return all
}

// noSecrets are the faults of features that use secrets where none can be used.
func (s *Spec) noSecrets() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, secret := range s.Secrets() {
		diags = append(diags, fault("Secret without a flavour",
			fmt.Sprintf("Parameter %q of feature %q names the secret %q by default, and only flavours can use secrets. Set the name in the flavours, and omit the default.", secret.Parameter, secret.Feature, secret.Name), secret.Range))
	}
	return diags
}

// MissingSecrets finds the secrets of a flavour that are not given, each where it is
// named first.
func (s *Spec) MissingSecrets(given func(name string) bool) hcl.Diagnostics {
	first := map[string]Secret{}
	for _, secret := range s.Secrets() {
		if _, seen := first[secret.Name]; !seen && !given(secret.Name) {
			first[secret.Name] = secret
		}
	}
	var diags hcl.Diagnostics
	missing := slices.SortedFunc(maps.Values(first), func(a, b Secret) int { return cmp.Compare(a.Name, b.Name) })
	for _, secret := range missing {
		diags = append(diags, fault("Missing secret",
			fmt.Sprintf("Flavour %q needs the secret %q, for the parameter %q of feature %q. Give the file that holds it: --secret %s=FILE, or TREEWRIGHT_SECRET_%s=FILE in the environment.",
				s.Flavour.Name, secret.Name, secret.Parameter, secret.Feature, secret.Name, secret.Name), secret.Range))
	}
	return diags
}
