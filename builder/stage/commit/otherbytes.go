package commit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// warnOfOtherBytes describes which steps gave other bytes than in the commit parent,
// which was made from the same: those whose layers hold what differs. The repository has both trees.
func warnOfOtherBytes(t *task.Task, out ostree.Repository, parent, before, now string) {
	const advice = "Each build without the cache adds a commit until these steps give the same bytes each time"
	paths, err := ostree.Differences(out, before, out, now)
	if err != nil {
		t.Warn("nothing changed since commit %.12s, but the tree differs, so a commit was added after it. The steps that gave other bytes cannot be found: %s", parent, ostree.Gist(err))
		return
	}
	t.Warn("nothing changed since commit %.12s, but these steps gave other bytes, so a commit was added after it: %s. %s",
		parent, strings.Join(attribute(t.Layers["tree"], paths, t.Distro.Database()), "; "), advice)
}

// attribute says for paths of a committed tree which step left each of them:
// the uppermost that has a layer with it, by the name that it had then. Each
// step is named once, in the order of the layers, with the first of its paths.
func attribute(layers []task.Layer, paths []string, db distro.Database) []string {
	const most = 3
	by := map[string][]string{}
	for _, path := range paths {
		step := stepOf(layers, path, db)
		by[step] = append(by[step], path)
	}
	var said []string
	say := func(step string, paths []string) {
		shown := make([]string, 0, most)
		for _, path := range paths[:min(most, len(paths))] {
			shown = append(shown, machine.Path(path))
		}
		text := step + " (" + strings.Join(shown, ", ")
		if more := len(paths) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		said = append(said, text+")")
	}
	for _, l := range layers {
		if paths := by[l.Step]; len(paths) > 0 {
			say(l.Step, paths)
			delete(by, l.Step)
		}
	}
	if gone := by[""]; len(gone) > 0 {
		say("no step", gone)
	}
	return said
}

// stepOf returns the step that left a path of a committed tree, "" if none of
// them has it. The last layer is that of the step that gave the tree its shape:
// it holds whatever it moved, so it is asked last.
func stepOf(layers []task.Layer, path string, db distro.Database) string {
	if len(layers) == 0 {
		return ""
	}
	before := strings.TrimPrefix(machine.Path(path), "/")
	if rest, ok := strings.CutPrefix(path, db.CommittedDir()+"/"); ok {
		before = db.Dir() + "/" + rest
	}
	last := layers[len(layers)-1]
	for _, l := range slices.Backward(layers[:len(layers)-1]) {
		if layer.ChangeOf(filepath.Join(l.Dir, before)) != "" {
			return l.Step
		}
	}
	if layer.ChangeOf(filepath.Join(last.Dir, path)) != "" {
		return last.Step
	}
	return ""
}
