package compose

import (
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// TestMatrixFaultsOnce: what is wrong with all flavours of a matrix is told once; what
// differs between them, and what another flavour has at the same place, is told as well.
func TestMatrixFaultsOnce(t *testing.T) {
	p := people(t)
	for i, name := range []string{"x-a", "x-b", "x-c", "other"} {
		f := flavour("base", "vpn")
		f.Name = name
		f.Settings = []config.Setting{{Feature: "vpn", Name: "peers", Value: []config.Object{}}}
		if f.Range = configtest.Line("matrix", 1); name == "other" {
			f.Range = configtest.Line("heir", 1)
		}
		f.Content.Packages = configtest.Lines("list", []string{"aa [", "aa [", "bb ["}[i%3])
		p.Flavours = append(p.Flavours, f)
	}
	wantFaults(t, Check(p, nil),
		`flavour:2: Missing setting: Feature "vpn" requires its parameter "token" (vpn:3), and flavour "x-a" does not set it.`,
		`list:1: Unclosed condition`,
		`flavour:2: Missing setting: Feature "vpn" requires its parameter "token" (vpn:3), and flavour "other" does not set it.`,
	)
}
