package compose

import (
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// people is a project with a feature that has objects and required parameters, and
// one that includes it through another.
func people(t *testing.T) *config.Project {
	p := configtest.Project(t, "base platform\nvpn element +base\nmiddle element +vpn\nsite element +middle")
	p.Features["vpn"].Parameters = []config.Parameter{
		{Name: "token", Type: config.String, Required: true, Example: `"abc"`, Range: configtest.Line("vpn", 3)},
		{Name: "peers", Type: config.Objects, Required: true, Range: configtest.Line("vpn", 4)},
	}
	return p
}

// TestMissingSettings: a parameter that has to be set gets where the flavour
// mentions the feature, or what brings it along, until the flavour sets it.
func TestMissingSettings(t *testing.T) {
	_, diags := Resolve(people(t), flavour("base", "vpn"))
	wantFaults(t, diags,
		`flavour:2: Missing setting: Feature "vpn" requires its parameter "token" (vpn:3), and flavour "try" does not set it. For example: token = "abc"`,
		`flavour:2: Missing setting: Feature "vpn" requires its parameter "peers" (vpn:4), and flavour "try" does not set it.`)
	_, diags = Resolve(people(t), flavour("base", "site"))
	wantFaults(t, diags, `flavour:2: Missing setting: Feature "vpn", which "site" includes, requires its parameter "token"`, `"peers"`)

	if _, diags = Resolve(people(t), flavour("base")); diags.HasErrors() {
		t.Errorf("without the feature: %v", diags)
	}
	// A feature that no flavour has is not asked for what only a flavour can give.
	wantFaults(t, Check(people(t), nil))

	f := flavour("base", "site")
	f.Settings = []config.Setting{
		{Feature: "vpn", Name: "token", Value: "x", Range: configtest.Line("set", 1)},
		{Feature: "vpn", Name: "peers", Value: []config.Object{{"port": int64(1), "name": `a"<`}, {"name": "b", "tags": []string{}}}},
	}
	s, diags := Resolve(people(t), f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if v := s.Parameters["vpn"]["token"]; !v.Set || v.Range.Start.Line != 1 {
		t.Errorf("the token is %+v", v)
	}
	if got, want := s.Environment("vpn")["PARAM_PEERS"], `[{"name":"a\"<","port":1},{"name":"b","tags":[]}]`; got != want {
		t.Errorf("scripts get %s, not %s", got, want)
	}
}

// TestObjectsInPackageLines: no package is named after an object.
func TestObjectsInPackageLines(t *testing.T) {
	p := people(t)
	p.Features["vpn"].Packages = configtest.Lines("list", "a-$peers", "bb [peers]", "cc [peers=x]", "dd [!token=x]")
	wantFaults(t, Check(p, nil),
		`list:1: Not a string: "peers" is of type objects`,
		`list:2: Unknown condition: "peers" is of type objects, which no condition can ask for.`,
		`list:3: Unknown condition`)
}
