package compose

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

func graph(t *testing.T, tree string) *Graph {
	t.Helper()
	g, diags := NewGraph(configtest.Project(t, tree).SortedFeatures())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return g
}

// flavour names features, on line 1, 2, ... of "flavour".
func flavour(features ...string) *config.Flavour {
	f := &config.Flavour{
		Name:         "try",
		Distribution: config.Distribution{Family: "debian", Suite: "trixie", Arch: "arm64"},
		Range:        hcl.Range{Filename: "flavour"},
	}
	for i, name := range features {
		f.Features = append(f.Features, config.FeatureRef{Name: name, Range: configtest.Line("flavour", i+1)})
	}
	return f
}

// wantFaults compares diagnostics, each as "FILE:LINE: SUMMARY: DETAIL", with
// what each must contain, in order; "|" separates several parts.
func wantFaults(t *testing.T, diags hcl.Diagnostics, want ...string) {
	t.Helper()
	var got []string
	for _, d := range diags {
		got = append(got, place(*d.Subject)+": "+d.Summary+": "+d.Detail)
	}
	if len(got) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		for _, part := range strings.Split(want[i], "|") {
			if !strings.Contains(got[i], part) {
				t.Errorf("fault %d is\n  %s\nand does not say\n  %s", i, got[i], part)
			}
		}
	}
}

func names(features []*config.Feature) string {
	var out []string
	for _, f := range features {
		out = append(out, f.Name)
	}
	return strings.Join(out, " ")
}

func packages(ws []Want) string {
	var out []string
	for _, w := range ws {
		if w.Version != "" {
			w.Name += "=" + w.Version
		}
		out = append(out, w.Name)
	}
	return strings.Join(out, " ")
}
