package plan

import (
	"encoding/json"
	"strings"
	"testing"
)

// recorded writes a graph's record down and reads it back, as a later run does.
func recorded(t *testing.T, g *Graph) Record {
	t.Helper()
	r, err := g.Record()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestWhyNothing(t *testing.T) {
	g := sample(t, nil)
	before := recorded(t, g)
	for _, s := range g.Steps() {
		if why := g.Why(s.ID, before); why != "" {
			t.Errorf("%s: %q, though nothing changed", s.ID, why)
		}
	}
}

func TestWhy(t *testing.T) {
	before := recorded(t, sample(t, nil))
	for want, change := range map[string]func(*Step){
		"Treewright's own code for it changed":        func(s *Step) { s.Version++ },
		"features/base changed":                       func(s *Step) { s.Sources[0].Digest = "sha256:2" },
		"features/base changed, features/new changed": func(s *Step) { s.Sources = []Source{{Name: "features/new", Digest: "sha256:1"}} },
		"$A changed":                 func(s *Step) { s.Env["A"] = "x" },
		"$B changed, $C changed":     func(s *Step) { s.Env = map[string]string{"A": "1", "C": ""} },
		"script changed":             func(s *Step) { s.Params = json.RawMessage(`{"script":"exec.late","feature":"base"}`) },
		"feature and script changed": func(s *Step) { s.Params = json.RawMessage(`{"script":"exec.late","feature":"b"}`) },
		"tools changed":              func(s *Step) { s.Base = "tools" },
		"tools2 changed":             func(s *Step) { s.Tools = "tools2" },
		"fetch2 changed":             func(s *Step) { s.Inputs["repo"] = "fetch2" },
		"its definition changed":     func(s *Step) { s.Network = true },
		"the secret token changed":   func(s *Step) { s.Secrets = []Secret{{"token", "1"}} },
		"new":                        func(s *Step) { s.ID = "fresh" },
		"":                           func(s *Step) { s.Title, s.Hints, s.MemoryMiB, s.Sources[0].Path = "x", nil, 1, "/x" },
	} {
		s := subject()
		change(&s)
		if got := sample(t, change).Why(s.ID, before); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestWhyIsAlwaysThere: whatever changes a key has a reason.
// TestWhyOfEmptyParameters: an action that has parameters now, of which none is
// set.
func TestWhyOfEmptyParameters(t *testing.T) {
	none := func(s *Step) { s.Params = nil }
	before := recorded(t, sample(t, none))
	s := subject()
	if got := sample(t, func(s *Step) { s.Params = json.RawMessage("{}") }).Why(s.ID, before); got != "parameters changed" {
		t.Errorf("got %q", got)
	}
}

func TestWhyIsAlwaysThere(t *testing.T) {
	before := recorded(t, sample(t, nil))
	for name, change := range map[string]func(*Step){
		"output":    func(s *Step) { s.Output = Dir },
		"artifacts": func(s *Step) { s.Artifacts = nil },
		"arch":      func(s *Step) { s.Arch = "arm64" },
		"no params": func(s *Step) { s.Params = nil },
		"no base":   func(s *Step) { s.Base = "" },
		"no tools":  func(s *Step) { s.Tools = "" },
		"no inputs": func(s *Step) { s.Inputs = nil },
	} {
		if got := sample(t, change).Why("subject", before); got == "" {
			t.Errorf("%s: the key changed for no reason", name)
		}
	}
}

func TestWhyWithADamagedRecord(t *testing.T) {
	g := sample(t, nil)
	if got := g.Why("subject", Record{"subject": json.RawMessage(`"nonsense"`)}); got != "new" {
		t.Errorf("got %q, want \"new\"", got)
	}
	if got := g.Why("subject", nil); got != "new" {
		t.Errorf("without a record: got %q, want \"new\"", got)
	}
}

// TestRecordHasNoPasswords: nor does one that differs in nothing else look
// like a change of anything that is named.
func TestRecordHasNoPasswords(t *testing.T) {
	with := func(password string) func(*Step) {
		return func(s *Step) {
			s.Env = map[string]string{"URL": "http://user:" + password + "@host"}
			s.Params = json.RawMessage(`{"url":"http://user:` + password + `@host"}`)
		}
	}
	g := sample(t, with("secret"))
	before := recorded(t, g)
	if text := string(before["subject"]); strings.Contains(text, "secret") || strings.Count(text, "user:***@host") != 2 {
		t.Errorf("recorded: %s", text)
	}
	if why := g.Why("subject", before); why != "" {
		t.Errorf("the same: %q", why)
	}
	if why := sample(t, with("other")).Why("subject", before); why != "" {
		t.Errorf("another password: %q", why)
	}
}
