package engine

import (
	"fmt"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// describe writes a step down for [StepExec]: with the places of its inputs in
// the store and the directories of a draft, and its secrets out of all.
func describe(store Store, g *plan.Graph, id string, draft *layer.Draft, secrets map[string][]byte) (*Request, error) {
	s := g.Step(id)
	r := &Request{
		Step: *s, Inputs: map[string]Mounted{}, Data: draft.Data, Work: draft.Work, Scratch: draft.Scratch, Log: draft.Log,
		Key: g.Key(id), Draft: draft, Keys: map[string]string{},
	}
	store = &noting{store, r.Keys}
	for _, secret := range s.Secrets {
		content, ok := secrets[secret.Name]
		if !ok {
			return nil, fmt.Errorf("the secret %s is not given", secret.Name)
		}
		if r.Secrets == nil {
			r.Secrets = map[string][]byte{}
		}
		r.Secrets[secret.Name] = content
	}
	var err error
	if r.Base, err = openStack(store, g, s.Base); err != nil {
		return nil, err
	}
	if r.Tools, err = openStack(store, g, s.Tools); err != nil {
		return nil, err
	}
	for name, in := range s.Inputs {
		m := Mounted{}
		if g.Step(in).Output == plan.Layer {
			m.Steps = g.Stack(in)
			m.Stack, err = openStack(store, g, in)
		} else {
			m.Dir, err = store.Open(g.Key(in))
		}
		if err != nil {
			return nil, err
		}
		r.Inputs[name] = m
	}
	r.Epoch, err = epochOf(store, g, id)
	return r, err
}

// epochOf returns the newest epoch of what a step needs.
func epochOf(store Store, g *plan.Graph, id string) (epoch int64, err error) {
	for _, in := range g.Needs(id) {
		res, ok, err := store.Get(g.Key(in))
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, fmt.Errorf("the result of %s is not in the cache", in)
		}
		epoch = max(epoch, res.Epoch)
	}
	return epoch, nil
}

// openStack opens the layers of the tree that a step leaves.
func openStack(store Store, g *plan.Graph, id string) ([]string, error) {
	var dirs []string
	for _, l := range g.Stack(id) {
		dir, err := store.Open(g.Key(l))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// noting is a store that notes the keys of the results that are opened.
type noting struct {
	Store
	keys map[string]string // directory -> key
}

// Open implements [Store].
func (n *noting) Open(key string) (string, error) {
	dir, err := n.Store.Open(key)
	if err == nil {
		n.keys[dir] = key
	}
	return dir, err
}
