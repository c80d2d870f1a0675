package compose

import (
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// TestTarball: a flavour that takes its history from a tarball that it does not make gets a warning.
func TestTarball(t *testing.T) {
	p := configtest.Project(t, "base platform\nrepo element +base stage=commit")
	p.Features["repo"].Parameters = []config.Parameter{{Name: "archive_url", Type: config.String}, {Name: "archive", Type: config.Bool, Default: true}}
	for _, c := range []struct {
		url    string
		makes  any
		warned bool
	}{{"", nil, false}, {"", false, false}, {"https://a.example", nil, false}, {"https://a.example", true, false}, {"https://a.example", false, true}} {
		f := flavour("repo")
		f.Settings = []config.Setting{{Feature: "repo", Name: "archive_url", Value: c.url, Range: configtest.Line("flavour", 7)}}
		if c.makes != nil {
			f.Settings = append(f.Settings, config.Setting{Feature: "repo", Name: "archive", Value: c.makes, Range: configtest.Line("flavour", 8)})
		}
		_, diags := Resolve(p, f)
		if diags.HasErrors() || !c.warned {
			wantFaults(t, diags)
			continue
		}
		wantFaults(t, diags, "flavour:8: No tarball for other builders: archive of repo is false")
	}
}
