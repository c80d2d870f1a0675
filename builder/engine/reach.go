package engine

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

// reach is what of the host the process of a step has left: the step's inputs,
// its draft, and programs. What it does to a tree by a path then stays there,
// even if a script made a directory of the tree a link to one of the host. A
// step that only fetches has no tree, and keeps the host. files are those that
// programs of the step's family read.
func reach(req *Request, files []string) *sandbox.View {
	if len(req.Base) == 0 && len(req.Tools) == 0 && req.Step.Output != plan.Layer {
		return nil
	}
	v := &sandbox.View{Shown: slices.Concat(files, sandbox.Programs), Writable: []string{filepath.Dir(req.Data)}}
	show := func(paths ...string) {
		for _, path := range paths {
			v.Shown = append(v.Shown, path)
			if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
				v.Shown = append(v.Shown, real)
			}
		}
	}
	show(req.Base...)
	show(req.Tools...)
	for _, in := range req.Inputs {
		show(in.Stack...)
		for _, dir := range in.Stack {
			show(layer.IndexOfData(dir))
		}
		if in.Dir != "" {
			show(in.Dir)
		}
	}
	for _, src := range req.Step.Sources {
		if both := sharedParent(v.Writable[0], src.Path); src.Name == historySource && both != "/" {
			v.Writable[0] = both
			continue
		}
		show(src.Path)
	}
	if req.Step.Network {
		show("/etc/resolv.conf")
	}
	return v
}

// historySource is the repository that a commit follows. A commit's repository
// has hard links to its objects, which do not lead from one mount to another.
const historySource = "history"

// sharedParent is the nearest directory that two are in, or are.
func sharedParent(a, b string) string {
	for a != "/" && b != a && !strings.HasPrefix(b, a+"/") {
		a = filepath.Dir(a)
	}
	return a
}
