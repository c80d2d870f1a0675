package compose

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// lender is a project with features that use secrets; one is an extension's.
func lender(t *testing.T) *config.Project {
	p := configtest.Project(t, "base platform\nvpn element +base\ndebug extension +base")
	p.Features["vpn"].Parameters = []config.Parameter{
		{Name: "token", Type: config.String, Secret: true, Default: "${flavour}_token", DefaultRange: configtest.Line("vpn", 3), Range: configtest.Line("vpn", 3)},
		{Name: "again", Type: config.String, Secret: true, Early: true, Range: configtest.Line("vpn", 4)},
		{Name: "unused", Type: config.String, Secret: true, Range: configtest.Line("vpn", 5)},
		{Name: "title", Type: config.String, Default: "x", Range: configtest.Line("vpn", 6)},
	}
	p.Features["debug"].Parameters = []config.Parameter{{Name: "key", Type: config.String, Secret: true, Default: "zkey", DefaultRange: configtest.Line("debug", 3)}}
	return p
}

// TestSecrets: a flavour's secrets are those that its parameters name; missing ones are
// told once, where they are named first. Scripts get no name in their environment.
func TestSecrets(t *testing.T) {
	f := flavour("base", "vpn", "debug")
	f.Settings = []config.Setting{{Feature: "vpn", Name: "again", Value: "zkey", Range: configtest.Line("set", 1)}}
	s, diags := Resolve(lender(t), f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for _, secret := range s.Secrets() {
		names = append(names, secret.Feature+"."+secret.Parameter+"="+secret.Name)
	}
	if want := []string{"vpn.token=try_token", "vpn.again=zkey", "debug.key=zkey"}; !slices.Equal(names, want) {
		t.Errorf("the secrets are %q, not %q", names, want)
	}
	if env := s.Environment("vpn"); env["PARAM_TITLE"] != "x" || len(env) != len(s.Environment("base"))+1 {
		t.Errorf("scripts get %v", env)
	}
	wantFaults(t, s.MissingSecrets(func(string) bool { return false }),
		`vpn:3: Missing secret: Flavour "try" needs the secret "try_token", for the parameter "token" of feature "vpn". Give the file that holds it: --secret try_token=FILE, or TREEWRIGHT_SECRET_try_token=FILE in the environment.`,
		`set:1: Missing secret: Flavour "try" needs the secret "zkey", for the parameter "again" of feature "vpn".`)
	wantFaults(t, s.MissingSecrets(func(name string) bool { return name == "try_token" }), `set:1: Missing secret`)
	wantFaults(t, s.MissingSecrets(func(string) bool { return true }))

	p := lender(t)
	p.Features["vpn"].Parameters[0].Default = "${arch}-token"
	_, diags = Resolve(p, f)
	wantFaults(t, diags, `vpn:3: Invalid default: The default of parameter "token" of feature "vpn" has to be the name of a secret`)
}

// TestSecretsNeedFlavours: what is put together without a flavour has no secrets.
func TestSecretsNeedFlavours(t *testing.T) {
	p := lender(t)
	for name, faults := range map[string][]string{
		"vpn":  {`vpn:3: Secret without a flavour: Parameter "token" of feature "vpn" names the secret "try_token" by default`},
		"base": nil,
	} {
		g, diags := NewGraph(p.SortedFeatures())
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		sel, err := g.Select([]string{name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, diags = Assembly{Flavour: flavour(name), Selection: sel}.Spec(p)
		wantFaults(t, diags, faults...)
	}
}

// TestSecretsInPackageLines: no package is named after a secret.
func TestSecretsInPackageLines(t *testing.T) {
	p := lender(t)
	p.Features["vpn"].Packages = configtest.Lines("list", "a-$token", "bb [token=x]")
	wantFaults(t, Check(p, nil),
		`list:1: Not a string: "token" is a secret, which no package is named after.`,
		`list:2: Unknown condition: "token" is a secret, which no condition can ask for.`)
}
