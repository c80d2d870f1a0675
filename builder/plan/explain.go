package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/event"
)

// Record is a graph as it was planned once, for comparison with a later one:
// each step's definition by ID. Passwords in URLs are masked, as it is kept.
type Record map[string]json.RawMessage

// Record writes the graph down.
func (g *Graph) Record() (Record, error) {
	r := Record{}
	for _, s := range g.Steps() {
		raw, err := masked(g.define(s))
		if err != nil {
			return nil, fmt.Errorf("plan: record step %q: %w", s.ID, err)
		}
		r[s.ID] = raw
	}
	return r, nil
}

// masked writes a definition down without the passwords in it.
func masked(def definition) (json.RawMessage, error) {
	raw, err := json.Marshal(def)
	return json.RawMessage(event.Mask(string(raw))), err
}

// DifferenceKind is what part of a step's definition differs.
type DifferenceKind string

// The kinds of differences.
const (
	NewStep     DifferenceKind = "new"         // there was no such step
	OwnCode     DifferenceKind = "code"        // Treewright's own
	OfSource    DifferenceKind = "source"      // Old and New are digests
	OfSecret    DifferenceKind = "secret"      // Old and New are versions
	OfVariable  DifferenceKind = "environment" // of its programs
	OfParameter DifferenceKind = "parameter"   // Old and New are JSON
	OfInput     DifferenceKind = "input"       // Name is the step that it is from, Old and New are keys
	OfRest      DifferenceKind = "definition"
)

// Difference is what differs between a step and its record. Old and New are "" for what was
// not there, or is not there any more.
type Difference struct {
	Kind DifferenceKind `json:"kind"`
	Name string         `json:"name,omitempty"`
	Old  string         `json:"old,omitempty"`
	New  string         `json:"new,omitempty"`
}

// Differences are what is different about a step since before was recorded, none if nothing
// is. Passwords in URLs are masked.
func (g *Graph) Differences(id string, before Record) []Difference {
	var old, now definition
	raw, ok := before[id]
	if !ok || json.Unmarshal(raw, &old) != nil {
		return []Difference{{Kind: NewStep}}
	}
	s := g.Step(id)
	raw, err := masked(g.define(s))
	if err != nil || json.Unmarshal(raw, &now) != nil {
		return []Difference{{Kind: NewStep}}
	}
	var all []Difference
	if old.Action != now.Action || old.Version != now.Version || old.Format != now.Format {
		all = append(all, Difference{OwnCode, old.Action, fmt.Sprint(old.Version), fmt.Sprint(now.Version)})
	}
	add := func(kind DifferenceKind, a, b map[string]string) {
		for _, name := range changedKeys(a, b) {
			all = append(all, Difference{kind, name, a[name], b[name]})
		}
	}
	add(OfSource, old.Sources, now.Sources)
	add(OfSecret, old.Secrets, now.Secrets)
	add(OfVariable, old.Env, now.Env)
	if normal(old.Params) != normal(now.Params) {
		all = append(all, parameters(old.Params, now.Params)...)
	}
	for _, in := range []struct{ old, now, step string }{{old.Base, now.Base, s.Base}, {old.Tools, now.Tools, s.Tools}} {
		if in.old != in.now && in.step != "" {
			all = append(all, Difference{OfInput, in.step, in.old, in.now})
		}
	}
	for _, name := range changedKeys(old.Inputs, now.Inputs) {
		// One step may be several inputs.
		step := s.Inputs[name]
		if step != "" && !slices.ContainsFunc(all, func(d Difference) bool { return d.Kind == OfInput && d.Name == step }) {
			all = append(all, Difference{OfInput, step, old.Inputs[name], now.Inputs[name]})
		}
	}
	if len(all) == 0 && keyOf(old) != keyOf(now) {
		all = append(all, Difference{Kind: OfRest})
	}
	return all
}

// Why returns in a few words what is different about a step since before was
// recorded: "new", "source features/base changed", "rootfs/install-system
// changed". It returns "" if nothing is.
func (g *Graph) Why(id string, before Record) string {
	var why, params []string
	for _, d := range g.Differences(id, before) {
		if d.Kind == OfParameter && d.Name != "" {
			if params = append(params, d.Name); len(params) > 1 {
				why[len(why)-1] = strings.Join(params, " and ") + " changed"
				continue
			}
		}
		why = append(why, d.String())
	}
	return strings.Join(why, ", ")
}

// String is the difference in a few words.
func (d Difference) String() string {
	switch d.Kind {
	case NewStep:
		return "new"
	case OwnCode:
		return "Treewright's own code for it changed"
	case OfSecret:
		return "the secret " + d.Name + " changed"
	case OfVariable:
		return "$" + d.Name + " changed"
	case OfParameter:
		if d.Name == "" {
			return "parameters changed" // none before, and none that is set now
		}
	case OfRest:
		return "its definition changed"
	}
	return d.Name + " changed"
}

func keyOf(def definition) string {
	key, err := hashDefinition(def)
	if err != nil {
		return ""
	}
	return key
}

// normal makes no parameters and a written-down null the same.
func normal(params json.RawMessage) string {
	if string(params) == "null" {
		return ""
	}
	return string(params)
}

// parameters are the parameters that differ.
func parameters(old, now json.RawMessage) []Difference {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(old, &a) != nil || json.Unmarshal(now, &b) != nil {
		return []Difference{{OfParameter, "", string(old), string(now)}}
	}
	as, bs := map[string]string{}, map[string]string{}
	for k, v := range a {
		as[k] = string(v)
	}
	for k, v := range b {
		bs[k] = string(v)
	}
	var all []Difference
	for _, name := range changedKeys(as, bs) {
		all = append(all, Difference{OfParameter, name, as[name], bs[name]})
	}
	if all == nil {
		return []Difference{{Kind: OfParameter}}
	}
	return all
}

// changedKeys returns the keys whose values differ, sorted.
func changedKeys(a, b map[string]string) []string {
	var out []string
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			out = append(out, k)
		}
	}
	for k := range maps.Keys(b) {
		if _, ok := a[k]; !ok {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}
