package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/remote"
)

// action makes the Action of a step and of the steps in r.Then.
func (s *Sender) action(r *engine.Request, platform Platform) (*remote.Action, error) {
	inputs := map[string]remote.Input{}
	program, err := s.program(platform.Program)
	if err != nil {
		return nil, err
	}
	inputs[programFile] = program
	o := order{Format: orderFormat}
	for _, r := range append([]*engine.Request{r}, r.Then...) {
		step, err := s.ordered(r, inputs)
		if err != nil {
			return nil, err
		}
		o.Steps = append(o.Steps, *step)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	inputs[orderFile], err = input(orderFile, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	a := &remote.Action{Arguments: []string{"./" + programFile, Verb}, Outputs: outputs(len(o.Steps)), Platform: platform.Properties}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		a.Inputs = append(a.Inputs, inputs[name])
	}
	return a, nil
}

// ordered describes a step for a worker. It replaces paths of this machine by digests, and adds the packed data to the inputs.
func (s *Sender) ordered(r *engine.Request, inputs map[string]remote.Input) (*ordered, error) {
	q := *r
	q.Data, q.Work, q.Scratch, q.Log = "", "", "", ""
	if q.Looks != "" {
		q.Looks = looksOutput // the path in this draft would make each Action different
	}
	q.Step.Sources = slices.Clone(q.Step.Sources)
	q.Inputs = maps.Clone(q.Inputs)
	pack := func(dirs ...string) (names []string, err error) {
		for _, dir := range dirs {
			if engine.IsMade(dir) {
				names = append(names, dir)
				continue
			}
			key := r.Keys[dir]
			sum, err := s.Store.DataSum(key)
			if err != nil {
				return nil, err
			}
			names = append(names, sum.SHA256)
			addPack(inputs, sum, func(w io.Writer) error { return s.Store.PackData(w, key) })
		}
		return names, nil
	}
	var err error
	if q.Base, err = pack(q.Base...); err != nil {
		return nil, err
	}
	if q.Tools, err = pack(q.Tools...); err != nil {
		return nil, err
	}
	for name, in := range q.Inputs {
		if in.Dir != "" {
			var one []string
			if one, err = pack(in.Dir); err == nil {
				in.Dir = one[0]
			}
		} else {
			in.Stack, err = pack(in.Stack...)
		}
		if err != nil {
			return nil, err
		}
		q.Inputs[name] = in
	}
	for i := range q.Step.Sources {
		src := &q.Step.Sources[i]
		dir := src.Path
		write := func(w io.Writer) error { return layer.PackFiles(w, dir) }
		sum, err := s.sum(dir, write)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", src.Name, err)
		}
		src.Path = sum.SHA256
		addPack(inputs, sum, write)
	}
	return &ordered{Key: r.Key, Request: q}, nil
}

func addPack(inputs map[string]remote.Input, sum layer.DataSum, write func(w io.Writer) error) {
	name := path.Join(packs, sum.SHA256)
	inputs[name] = remote.Input{Path: name, Digest: digestOf(sum), Write: write}
}

func digestOf(sum layer.DataSum) remote.Digest {
	return remote.Digest{Hash: sum.SHA256, Size: sum.Size}
}

// input returns an input file. It calls write once to compute the digest.
func input(name string, write func(w io.Writer) error) (remote.Input, error) {
	sum, err := layer.SumOf(write)
	return remote.Input{Path: name, Digest: digestOf(sum), Write: write}, err
}

// program returns the input with the program. file is the path of the program on this machine.
func (s *Sender) program(file string) (remote.Input, error) {
	write := func(w io.Writer) error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}
	sum, err := s.sum(file, write)
	if err != nil {
		return remote.Input{}, fmt.Errorf("read the program for workers: %w", err)
	}
	return remote.Input{Path: programFile, Executable: true, Digest: digestOf(sum), Write: write}, nil
}

// sum returns the DataSum of the path that write packs. It is computed once, because the content does not change during a build.
func (s *Sender) sum(path string, write func(w io.Writer) error) (layer.DataSum, error) {
	if sum, ok := s.There.known.Load(path); ok {
		return sum.(layer.DataSum), nil
	}
	sum, err := layer.SumOf(write)
	if err == nil {
		s.There.known.Store(path, sum)
	}
	return sum, err
}
