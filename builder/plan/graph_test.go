package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// sample is a graph with a step of every kind of dependency: the last one is
// the subject of most tests.
//
//	fetch  (dir)   bootstrap (layer, fetch)   tools (layer on bootstrap)
//	subject (layer on bootstrap, by tools, with fetch as "repo")
func sample(t *testing.T, change func(*Step)) *Graph {
	t.Helper()
	g := &Graph{}
	for _, s := range []Step{
		{ID: "fetch", Action: "fetch", Output: Dir, Arch: "amd64"},
		{ID: "fetch2", Action: "fetch", Output: Dir, Arch: "amd64", Version: 2},
		{ID: "bootstrap", Action: "bootstrap", Inputs: map[string]string{"repo": "fetch"}, Output: Layer, Arch: "amd64"},
		{ID: "tools", Action: "install", Base: "bootstrap", Output: Layer, Arch: "amd64"},
		{ID: "tools2", Action: "install", Base: "bootstrap", Output: Layer, Arch: "amd64", Version: 2},
	} {
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	s := subject()
	if change != nil {
		change(&s)
	}
	if err := g.Add(s); err != nil {
		t.Fatal(err)
	}
	return g
}

func subject() Step {
	return Step{
		ID: "subject", Stage: "rootfs", Title: "the subject",
		Action: "script", Version: 1, Params: json.RawMessage(`{"script":"exec.config","feature":"base"}`),
		Env:  map[string]string{"A": "1", "B": "2"},
		Base: "bootstrap", Tools: "tools", Inputs: map[string]string{"repo": "fetch"},
		Sources: []Source{{Name: "features/base", Digest: "sha256:1", Path: "/somewhere"}},
		Output:  Layer, Arch: "amd64",
		Artifacts: []Artifact{{Name: "a", Path: "a", Kind: FileArtifact, Description: "an a"}},
		Hints:     json.RawMessage(`{"mirror":"http://one"}`), MemoryMiB: 100,
	}
}

func TestKeyCoversWhatChangesTheResult(t *testing.T) {
	want := sample(t, nil).Key("subject")
	if len(want) != 64 || strings.Trim(want, "0123456789abcdef") != "" {
		t.Fatalf("key %q is not 64 hexadecimal digits", want)
	}
	seen := map[string]string{want: "the subject as it is"}
	for name, change := range map[string]func(*Step){
		"action":        func(s *Step) { s.Action = "post" },
		"version":       func(s *Step) { s.Version++ },
		"params":        func(s *Step) { s.Params = json.RawMessage(`{"script":"exec.late","feature":"base"}`) },
		"no params":     func(s *Step) { s.Params = nil },
		"env value":     func(s *Step) { s.Env["A"] = "2" },
		"env name":      func(s *Step) { s.Env = map[string]string{"A2": "1", "B": "2"} },
		"env more":      func(s *Step) { s.Env["C"] = "" },
		"env less":      func(s *Step) { delete(s.Env, "B") },
		"base":          func(s *Step) { s.Base = "tools" },
		"no base":       func(s *Step) { s.Base = "" },
		"tools":         func(s *Step) { s.Tools = "tools2" },
		"no tools":      func(s *Step) { s.Tools = "" },
		"input":         func(s *Step) { s.Inputs = map[string]string{"repo": "fetch2"} },
		"input's name":  func(s *Step) { s.Inputs = map[string]string{"packages": "fetch"} },
		"more inputs":   func(s *Step) { s.Inputs["more"] = "fetch" },
		"source digest": func(s *Step) { s.Sources[0].Digest = "sha256:2" },
		"source name":   func(s *Step) { s.Sources[0].Name = "features/podman" },
		"more sources":  func(s *Step) { s.Sources = append(s.Sources, Source{Name: "x", Digest: "sha256:1"}) },
		"output":        func(s *Step) { s.Output = Dir },
		"network":       func(s *Step) { s.Network = true },
		"arch":          func(s *Step) { s.Arch = "arm64" },
		"family":        func(s *Step) { s.Family = "other" },
		"artifact name": func(s *Step) { s.Artifacts[0].Name = "b" },
		"artifact path": func(s *Step) { s.Artifacts[0].Path = "b" },
		"artifact kind": func(s *Step) { s.Artifacts[0].Kind = DirArtifact },
		"no artifacts":  func(s *Step) { s.Artifacts = nil },
	} {
		got := sample(t, change).Key("subject")
		if other, taken := seen[got]; taken {
			t.Errorf("another %s gives the key of %s", name, other)
		}
		seen[got] = name
	}
}

func TestKeyLeavesOutTheRest(t *testing.T) {
	want := sample(t, nil).Key("subject")
	for name, change := range map[string]func(*Step){
		"stage":       func(s *Step) { s.Stage = "commit" },
		"title":       func(s *Step) { s.Title = "something else" },
		"source path": func(s *Step) { s.Sources[0].Path = "/elsewhere" },
		"hints":       func(s *Step) { s.Hints = json.RawMessage(`{"mirror":"http://two"}`) },
		"no hints":    func(s *Step) { s.Hints = nil },
		"memory":      func(s *Step) { s.MemoryMiB = 4096 },
	} {
		if got := sample(t, change).Key("subject"); got != want {
			t.Errorf("another %s changes the key", name)
		}
	}
	if got := sample(t, func(s *Step) { s.ID = "renamed" }).Key("renamed"); got != want {
		t.Error("another ID changes the key")
	}
}

// TestKeyStays pins a key: an unwanted change of how keys are computed would
// throw everybody's caches away.
func TestKeyStays(t *testing.T) {
	const want = "546faf5ba3eafe6b7dee23522aa6dc81606787fc404f86c2bbaf0cb4c5516775"
	if got := sample(t, nil).Key("subject"); got != want {
		t.Errorf("the subject's key is %s, was %s: all caches would be lost. If that is meant, raise definition's Format", got, want)
	}
}

func TestKeyOfAnotherOrder(t *testing.T) {
	want := sample(t, func(s *Step) { s.Sources = append(s.Sources, Source{Name: "x", Digest: "sha256:9"}) }).Key("subject")
	got := sample(t, func(s *Step) { s.Sources = append([]Source{{Name: "x", Digest: "sha256:9"}}, s.Sources...) }).Key("subject")
	if got != want {
		t.Error("the order of sources changes the key")
	}
	if sample(t, func(s *Step) { s.Env = nil }).Key("subject") != sample(t, func(s *Step) { s.Env = map[string]string{} }).Key("subject") {
		t.Error("no environment and an empty one have different keys")
	}
}

func TestChangeTravelsUpwards(t *testing.T) {
	build := func(version int) *Graph {
		g := &Graph{}
		for _, s := range []Step{
			{ID: "a", Output: Layer, Version: version},
			{ID: "b", Output: Layer},
			{ID: "on-a", Base: "a", Output: Layer},
			{ID: "on-on-a", Inputs: map[string]string{"x": "on-a"}, Output: Dir},
			{ID: "by-a", Tools: "a", Output: Dir},
			{ID: "on-b", Base: "b", Output: Layer, Version: 7},
		} {
			if err := g.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		return g
	}
	one, two := build(1), build(2)
	for id, changes := range map[string]bool{"a": true, "on-a": true, "on-on-a": true, "by-a": true, "b": false, "on-b": false} {
		if got := one.Key(id) != two.Key(id); got != changes {
			t.Errorf("key of %s changed: %v, want %v", id, got, changes)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		step Step
		want string
	}{
		"unknown base":    {Step{ID: "x", Base: "nope"}, `needs "nope" as its base`},
		"unknown tools":   {Step{ID: "x", Tools: "nope"}, `needs "nope" as its tools`},
		"unknown input":   {Step{ID: "x", Inputs: map[string]string{"in": "nope"}}, `needs "nope" as its input in`},
		"itself":          {Step{ID: "x", Base: "x"}, `needs "x" as its base`},
		"base is a dir":   {Step{ID: "x", Base: "fetch"}, `wants the tree of "fetch", which leaves no layer`},
		"two sources":     {Step{ID: "x", Sources: []Source{{Name: "s", Digest: "1"}, {Name: "s", Digest: "2"}}}, `two sources called "s"`},
		"another subject": {Step{ID: "subject", Version: 99}, `two different steps are called "subject"`},
		"bad parameters":  {Step{ID: "x", Params: json.RawMessage(`{`)}, `key of step "x"`},
	} {
		g := sample(t, nil)
		err := g.Add(tc.step)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
		if n := len(g.Steps()); n != 6 {
			t.Errorf("%s: the graph has %d steps afterwards, want 6", name, n)
		}
	}
}

func TestAddTwice(t *testing.T) {
	g := sample(t, nil)
	if err := g.Add(subject()); err != nil {
		t.Errorf("the same step again: %v", err)
	}
	if n := len(g.Steps()); n != 6 {
		t.Errorf("the graph has %d steps, want 6", n)
	}
}

func TestKeyOfNothingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	sample(t, nil).Key("nope")
}

func ids(steps []*Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.ID)
	}
	return out
}

func TestStepsAreTopological(t *testing.T) {
	g := sample(t, nil)
	seen := map[string]bool{}
	for _, s := range g.Steps() {
		for _, in := range g.Needs(s.ID) {
			if !seen[in] {
				t.Errorf("%s comes before %s, which it needs", s.ID, in)
			}
		}
		seen[s.ID] = true
	}
	if got := ids(g.Steps()); len(got) != 6 || got[5] != "subject" {
		t.Errorf("steps: %v", got)
	}
	if g.Step("nope") != nil {
		t.Error("there is a step that nobody added")
	}
}

func TestStackNeedsRequires(t *testing.T) {
	g := sample(t, func(s *Step) { s.Base = "tools" })
	if err := g.Add(Step{ID: "image", Inputs: map[string]string{"tree": "subject", "again": "subject"}, Output: Dir}); err != nil {
		t.Fatal(err)
	}
	if err := g.Add(Step{ID: "look", Base: "subject", Output: Dir}); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ got, want []string }{
		"stack of a layer":               {g.Stack("subject"), []string{"bootstrap", "tools", "subject"}},
		"stack of a layer without base":  {g.Stack("bootstrap"), []string{"bootstrap"}},
		"stack of a dir":                 {g.Stack("image"), nil},
		"stack of a dir with a base":     {g.Stack("look"), []string{"bootstrap", "tools", "subject"}},
		"needs":                          {g.Needs("subject"), []string{"fetch", "tools"}},
		"needs, each once":               {g.Needs("image"), []string{"subject"}},
		"needs of a leaf":                {g.Needs("fetch"), nil},
		"requires a whole stack":         {g.Requires("image"), []string{"bootstrap", "subject", "tools"}},
		"requires base, tools and input": {g.Requires("subject"), []string{"bootstrap", "fetch", "tools"}},
		"requires of a dir input":        {g.Requires("bootstrap"), []string{"fetch"}},
	} {
		if !slices.Equal(tc.got, tc.want) {
			t.Errorf("%s: %v, want %v", name, tc.got, tc.want)
		}
	}
}

func TestTargets(t *testing.T) {
	g := sample(t, nil)
	if err := g.Add(Step{ID: "uses-subject", Base: "subject", Output: Layer}); err != nil {
		t.Fatal(err)
	}
	// The subject has an artifact and is used as well; the second versions are
	// used by nobody.
	want := []string{"fetch2", "tools2", "subject", "uses-subject"}
	if got := g.Targets(); !slices.Equal(got, want) {
		t.Errorf("targets %v, want %v", got, want)
	}
	if got := (&Graph{}).Targets(); len(got) != 0 {
		t.Errorf("an empty graph has targets %v", got)
	}
}

func TestStepIsAValue(t *testing.T) {
	raw, err := json.Marshal(subject())
	if err != nil {
		t.Fatal(err)
	}
	var back Step
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	want := sample(t, nil).Key("subject")
	if got := sample(t, func(s *Step) { *s = back }).Key("subject"); got != want {
		t.Error("a step that was written down and read back has another key")
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(raw) {
		t.Errorf("written down again it differs:\n%s\n%s", raw, again)
	}
}

// TestSecretsInKeys: a key covers which secrets a step has, which version of each, and
// which files may hold them; one of steps without secrets is what it was.
func TestSecretsInKeys(t *testing.T) {
	key := func(s Step) string {
		t.Helper()
		s.ID, s.Action, s.Output = "a", "script", Layer
		var g Graph
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
		return g.Key("a")
	}
	seen := map[string]bool{}
	for _, s := range []Step{
		{}, {Secrets: []Secret{{"a", "1"}}}, {Secrets: []Secret{{"a", "2"}}}, {Secrets: []Secret{{"b", "1"}}}, {Secrets: []Secret{{"a", "1"}, {"b", "1"}}},
		{Secrets: []Secret{{"a", "1"}}, MayHold: []string{"/etc/x"}},
	} {
		if k := key(s); seen[k] {
			t.Errorf("%+v has the key of another", s)
		} else {
			seen[k] = true
		}
	}
	if key(Step{MayHold: []string{"/etc/x"}}) != key(Step{}) {
		t.Error("what may hold secrets changes the key of a step without any")
	}
}

// TestKeyAnywhere: other tools, and other versions of secrets, of the step or of one
// before it, change a key, and not the one without them.
func TestKeyAnywhere(t *testing.T) {
	version := "1"
	keys := func(tools string) (key, without string) {
		t.Helper()
		var g Graph
		for _, s := range []Step{
			{ID: "amd64", Action: "install", Output: Layer, Arch: "amd64"}, {ID: "arm64", Action: "install", Output: Layer, Arch: "arm64"},
			{ID: "post", Action: "script", Output: Layer, Tools: tools, Secrets: []Secret{{"token", version}}}, {ID: "tree", Action: "tree", Base: "post", Tools: tools, Output: Layer},
		} {
			if err := g.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		without, err := g.KeyAnywhere("tree")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.KeyAnywhere("forest"); err == nil {
			t.Error("a step that is not there has a key")
		}
		return g.Key("tree"), without
	}
	here, bare := keys("amd64")
	there, same := keys("arm64")
	if here == there || bare != same || bare == here {
		t.Errorf("keys are %s and %s, without tools %s and %s", here, there, bare, same)
	}
	version = "2"
	if key, without := keys("amd64"); key == here || without != bare {
		t.Errorf("with another secret the keys are %s and %s, not other than %s and %s", key, without, here, bare)
	}
}

// TestPrivate: a step that requires a step with a secret, as base, tools or input, is private and does not travel. A copy of the graph has
// the same private steps.
func TestPrivate(t *testing.T) {
	var g Graph
	for _, s := range []Step{
		{ID: "base", Output: Layer, Private: true}, // Add replaces this value
		{ID: "with", Output: Layer, Base: "base", Secrets: []Secret{{Name: "token", Version: "1"}}},
		{ID: "beside", Output: Layer, Base: "base"},
		{ID: "top", Output: Layer, Base: "with"},
		{ID: "tools", Output: Dir, Tools: "top"},
		{ID: "input", Output: Dir, Inputs: map[string]string{"a": "beside", "b": "tools"}},
	} {
		add(t, &g, s)
	}
	for _, g := range []*Graph{&g, g.Clone(), g.Share(&Shared{})} {
		for id, private := range map[string]bool{"base": false, "beside": false, "with": true, "top": true, "tools": true, "input": true} {
			if s := g.Step(id); s.Private != private || s.Travels() == private {
				t.Errorf("%s is private: %v, travels: %v", id, s.Private, s.Travels())
			}
		}
	}
}
