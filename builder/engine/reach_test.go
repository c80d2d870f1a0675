package engine

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/plan"
)

// TestReach: a step's own process has its inputs and its draft, and a step that
// follows a repository the directory that both are in.
func TestReach(t *testing.T) {
	for name, tc := range map[string]struct {
		req              Request
		writable, missed string
		shown            []string
	}{
		"a script": {
			Request{Base: []string{"/c/store/a"}, Tools: []string{"/c/store/t"}, Data: "/c/drafts/d/data", Inputs: map[string]Mounted{"repo": {Dir: "/c/store/p"}},
				Step: plan.Step{Output: plan.Layer, Sources: []plan.Source{{Name: "features/x", Path: "/c/sources/1"}}}},
			"/c/drafts/d", "/etc/resolv.conf", []string{"/c/store/a", "/c/store/t", "/c/store/p", "/c/sources/1", "/usr", "/etc/family"}},
		"with a network": {
			Request{Base: []string{"/c/store/a"}, Data: "/c/drafts/d/data", Step: plan.Step{Network: true}},
			"/c/drafts/d", "", []string{"/etc/resolv.conf"}},
		"a commit": {
			Request{Base: []string{"/c/store/a"}, Data: "/p/.cache/drafts/d/data", Step: plan.Step{Sources: []plan.Source{{Name: "history", Path: "/p/.build/f/repo"}}}},
			"/p", "/p/.build/f/repo", nil},
		"a commit with a cache elsewhere": {
			Request{Base: []string{"/c/store/a"}, Data: "/c/drafts/d/data", Step: plan.Step{Sources: []plan.Source{{Name: "history", Path: "/p/.build/f/repo"}}}},
			"/c/drafts/d", "", []string{"/p/.build/f/repo"}},
	} {
		v := reach(&tc.req, []string{"/etc/family"})
		if !slices.Equal(v.Writable, []string{tc.writable}) {
			t.Errorf("%s can write to %q, want %s", name, v.Writable, tc.writable)
		}
		for _, path := range tc.shown {
			if !slices.Contains(v.Shown, path) {
				t.Errorf("%s does not see %s", name, path)
			}
		}
		if slices.Contains(v.Shown, tc.missed) || slices.Contains(v.Shown, "/etc") || slices.Contains(v.Shown, "/") {
			t.Errorf("%s sees too much: %q", name, v.Shown)
		}
	}
	if v := reach(&Request{Data: "/c/drafts/d/data", Step: plan.Step{Output: plan.Dir, Network: true}}, nil); v != nil {
		t.Errorf("a step that fetches sees %q alone", v.Shown)
	}
}
