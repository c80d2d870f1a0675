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

// Why says in a few words what is different about a step since before was
// recorded: "new", "source features/base changed", "rootfs/install-system
// changed". It returns "" if nothing is.
func (g *Graph) Why(id string, before Record) string {
	raw, ok := before[id]
	if !ok {
		return "new"
	}
	var old definition
	if json.Unmarshal(raw, &old) != nil {
		return "new"
	}
	s := g.Step(id)
	raw, err := masked(g.define(s))
	var now definition
	if err != nil || json.Unmarshal(raw, &now) != nil {
		return "new"
	}
	var why []string
	if old.Action != now.Action || old.Version != now.Version || old.Format != now.Format {
		why = append(why, "Treewright's own code for it changed")
	}
	for _, name := range changedKeys(old.Sources, now.Sources) {
		why = append(why, name+" changed")
	}
	for _, name := range changedKeys(old.Secrets, now.Secrets) {
		why = append(why, "the secret "+name+" changed")
	}
	for _, name := range changedKeys(old.Env, now.Env) {
		why = append(why, "$"+name+" changed")
	}
	if normal(old.Params) != normal(now.Params) {
		why = append(why, changedParams(old.Params, now.Params))
	}
	for _, in := range []struct{ old, now, step string }{{old.Base, now.Base, s.Base}, {old.Tools, now.Tools, s.Tools}} {
		if in.old != in.now && in.step != "" {
			why = append(why, in.step+" changed")
		}
	}
	for _, name := range changedKeys(old.Inputs, now.Inputs) {
		// One step may be several inputs.
		if step := s.Inputs[name]; step != "" && !slices.Contains(why, step+" changed") {
			why = append(why, step+" changed")
		}
	}
	if len(why) == 0 && keyOf(old) != keyOf(now) {
		why = append(why, "its definition changed")
	}
	return strings.Join(why, ", ")
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

// changedParams names the parameters that differ.
func changedParams(old, now json.RawMessage) string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(old, &a) != nil || json.Unmarshal(now, &b) != nil {
		return "parameters changed"
	}
	as, bs := map[string]string{}, map[string]string{}
	for k, v := range a {
		as[k] = string(v)
	}
	for k, v := range b {
		bs[k] = string(v)
	}
	names := changedKeys(as, bs)
	if len(names) == 0 {
		return "parameters changed" // none before, and none that is set now
	}
	return strings.Join(names, " and ") + " changed"
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
