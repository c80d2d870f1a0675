package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
)

// Graph is an acyclic set of steps. The zero value is empty and ready to use.
type Graph struct {
	steps map[string]*Step
	order []string
	keys  map[string]string
}

// Add puts a step into the graph. Its inputs must be there already, which
// keeps every graph acyclic and its order of addition a topological one.
// Adding a step that is there already is fine if it is the same one, and an
// error otherwise.
func (g *Graph) Add(s Step) error {
	if s.Env == nil {
		s.Env = map[string]string{}
	}
	s.Private = len(s.Secrets) > 0
	for _, in := range s.inputs() {
		if g.steps[in.step] == nil {
			return fmt.Errorf("plan: step %q needs %q as its %s, which is not in the graph", s.ID, in.step, in.role)
		}
		s.Private = s.Private || g.steps[in.step].Private
	}
	if s.Base != "" && g.steps[s.Base].Output != Layer {
		return fmt.Errorf("plan: step %q wants the tree of %q, which leaves no layer", s.ID, s.Base)
	}
	key, err := g.computeKey(&s)
	if err != nil {
		return err
	}
	if old, ok := g.keys[s.ID]; ok {
		if old != key {
			return fmt.Errorf("plan: two different steps are called %q", s.ID)
		}
		return nil
	}
	if g.steps == nil {
		g.steps, g.keys = map[string]*Step{}, map[string]string{}
	}
	g.steps[s.ID] = &s
	g.keys[s.ID] = key
	g.order = append(g.order, s.ID)
	return nil
}

// Clone returns a graph with the same steps, to which others can be added.
func (g *Graph) Clone() *Graph {
	return &Graph{maps.Clone(g.steps), slices.Clone(g.order), maps.Clone(g.keys)}
}

// Shared has steps that many graphs have. Its zero value has none.
type Shared struct{ steps sync.Map }

// Share returns the same graph, with the steps that others with the same ID and key have: many graphs take
// little memory then. Titles and hints, which are not part of keys, are those of the first graph.
func (g *Graph) Share(known *Shared) *Graph {
	out := g.Clone()
	for id, s := range out.steps {
		same, _ := known.steps.LoadOrStore([2]string{id, g.keys[id]}, s)
		out.steps[id] = same.(*Step)
	}
	return out
}

// Step returns the step of that ID, or nil.
func (g *Graph) Step(id string) *Step { return g.steps[id] }

// Steps returns all steps, every one after those it needs.
func (g *Graph) Steps() []*Step {
	out := make([]*Step, 0, len(g.order))
	for _, id := range g.order {
		out = append(out, g.steps[id])
	}
	return out
}

// Key returns the step's key: 64 hexadecimal digits, the SHA-256 over its
// canonical definition and its inputs' keys. It panics if there is no such
// step.
func (g *Graph) Key(id string) string {
	key, ok := g.keys[id]
	if !ok {
		panic("plan: no step " + id)
	}
	return key
}

// KeyOf returns the key that a step would get whose inputs are in the graph. It
// adds nothing.
func (g *Graph) KeyOf(s Step) (string, error) {
	if s.Env == nil {
		s.Env = map[string]string{}
	}
	return g.computeKey(&s)
}

// KeyAnywhere returns the key that a step would have if it and all steps before it had
// no tools and no versions of secrets, which differ between machines.
func (g *Graph) KeyAnywhere(id string) (string, error) {
	var bare Graph
	for _, s := range g.Steps() {
		without := *s
		without.Tools, without.Secrets = "", slices.Clone(s.Secrets)
		for i := range without.Secrets {
			without.Secrets[i].Version = ""
		}
		if err := bare.Add(without); err != nil {
			return "", err
		}
		if s.ID == id {
			return bare.Key(id), nil
		}
	}
	return "", fmt.Errorf("there is no step %s", id)
}

// Stack returns the IDs of the Layer steps that make up the tree a step leaves
// (for a Layer step: itself last), lowest first.
func (g *Graph) Stack(id string) []string {
	var stack []string
	for id != "" {
		s := g.steps[id]
		if s.Output == Layer {
			stack = append(stack, id)
		}
		id = s.Base
	}
	slices.Reverse(stack)
	return stack
}

// Needs returns the IDs of the steps whose results a step uses directly: its
// base, its tools and its inputs, sorted and each once.
func (g *Graph) Needs(id string) []string {
	var needs []string
	for _, in := range g.steps[id].inputs() {
		needs = append(needs, in.step)
	}
	sort.Strings(needs)
	return slices.Compact(needs)
}

// Before returns steps together with all that must have left a result before they can run, in
// the graph's order.
func (g *Graph) Before(ids []string) []string {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var all []string
	for _, id := range slices.Backward(g.order) {
		if !wanted[id] {
			continue
		}
		all = append(all, id)
		for _, in := range g.Requires(id) {
			wanted[in] = true
		}
	}
	slices.Reverse(all)
	return all
}

// Requires returns the IDs of the steps that must have left a result before a
// step can run. It is more than [Graph.Needs]: a tree is mounted from every
// layer of its stack.
func (g *Graph) Requires(id string) []string {
	s := g.steps[id]
	seen := map[string]bool{}
	for _, in := range s.inputs() {
		if g.steps[in.step].Output == Layer {
			for _, l := range g.Stack(in.step) {
				seen[l] = true
			}
		}
		seen[in.step] = true
	}
	out := make([]string, 0, len(seen))
	for id := range seen {
		out = append(out, id)
	}
	sort.Strings(out)
	return out
}

// Targets returns the steps that a build is for: those with artifacts, and
// those whose result no other step uses.
func (g *Graph) Targets() []string {
	used := map[string]bool{}
	for _, id := range g.order {
		for _, in := range g.Needs(id) {
			used[in] = true
		}
	}
	var targets []string
	for _, id := range g.order {
		if len(g.steps[id].Artifacts) > 0 || !used[id] {
			targets = append(targets, id)
		}
	}
	return targets
}

type input struct{ role, step string }

func (s *Step) inputs() []input {
	var ins []input
	if s.Base != "" {
		ins = append(ins, input{"base", s.Base})
	}
	if s.Tools != "" {
		ins = append(ins, input{"tools", s.Tools})
	}
	names := make([]string, 0, len(s.Inputs))
	for name := range s.Inputs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		ins = append(ins, input{"input " + name, s.Inputs[name]})
	}
	return ins
}

// definition is what a key is computed over. Changing it, or the meaning of a
// field, changes every key.
type definition struct {
	Format    int               `json:"format"`
	Action    string            `json:"action"`
	Version   int               `json:"version"`
	Params    json.RawMessage   `json:"params"`
	Env       map[string]string `json:"env"`
	Base      string            `json:"base"`
	Tools     string            `json:"tools"`
	Inputs    map[string]string `json:"inputs"`
	Sources   map[string]string `json:"sources"`
	Secrets   map[string]string `json:"secrets,omitempty"`
	MayHold   []string          `json:"may_hold,omitempty"`
	Output    OutputKind        `json:"output"`
	Network   bool              `json:"network"`
	Arch      string            `json:"arch"`
	Family    string            `json:"family"`
	Artifacts []Artifact        `json:"artifacts"`
}

func (g *Graph) computeKey(s *Step) (string, error) {
	seen := map[string]bool{}
	for _, src := range s.Sources {
		if seen[src.Name] {
			return "", fmt.Errorf("plan: step %q has two sources called %q", s.ID, src.Name)
		}
		seen[src.Name] = true
	}
	key, err := hashDefinition(g.define(s))
	if err != nil {
		return "", fmt.Errorf("plan: key of step %q: %w", s.ID, err)
	}
	return key, nil
}

// define returns what a step's key is computed over.
func (g *Graph) define(s *Step) definition {
	def := definition{
		Format: 2, Action: s.Action, Version: s.Version, Params: s.Params, Env: s.Env,
		Inputs: map[string]string{}, Sources: map[string]string{},
		Output: s.Output, Network: s.Network, Arch: s.Arch, Family: s.Family, Artifacts: s.Artifacts,
	}
	if s.Base != "" {
		def.Base = g.keys[s.Base]
	}
	if s.Tools != "" {
		def.Tools = g.keys[s.Tools]
	}
	for name, id := range s.Inputs {
		def.Inputs[name] = g.keys[id]
	}
	for _, src := range s.Sources {
		def.Sources[src.Name] = src.Digest
	}
	if len(s.Secrets) > 0 {
		def.Secrets, def.MayHold = map[string]string{}, s.MayHold
	}
	for _, secret := range s.Secrets {
		def.Secrets[secret.Name] = secret.Version
	}
	return def
}

func hashDefinition(def definition) (string, error) {
	raw, err := json.Marshal(def)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}
