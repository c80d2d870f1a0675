package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/drawing"
)

// stateKind is a state of steps as pictures show it.
type stateKind struct {
	state build.State
	kind  drawing.Kind
}

// stateKinds are all of them.
var stateKinds = []stateKind{
	{build.Cached, drawing.Kind{Name: "in the cache", Light: "#d3f3da", Dark: "#1d4428"}},
	{build.ToRun, drawing.Kind{Name: "to run", Light: "#ffe7b8", Dark: "#5c3d0a"}},
	{build.NotNeeded, drawing.Kind{Name: "not needed: what it leads to is there", Light: "#eef1f4", Dark: "#262c34", Dashed: true}},
	{build.Remote, drawing.Kind{Name: "in the remote cache", Light: "#d6e4fb", Dark: "#1c355e"}},
}

// kindsOf are the states that a picture of steps explains: the remote cache, which few have, is among them, and is the last one,
// only if it has a result.
func kindsOf(steps []build.Step) []stateKind {
	if slices.ContainsFunc(steps, func(s build.Step) bool { return s.State == build.Remote }) {
		return stateKinds
	}
	return stateKinds[:len(stateKinds)-1]
}

// kindIndex is the index of a state in stateKinds.
func kindIndex(s build.State) int {
	for i, k := range stateKinds {
		if k.state == s {
			return i
		}
	}
	panic("no colour for the state " + string(s))
}

func kindOf(s build.State) drawing.Kind { return stateKinds[kindIndex(s)].kind }

// svg draws the steps of a flavour as a picture, each in the colour of its state.
func svg(w io.Writer, flavour string, steps []build.Step) error {
	g := &drawing.Graph{Title: "the steps of " + flavour}
	for _, k := range kindsOf(steps) {
		g.Kinds = append(g.Kinds, k.kind)
	}
	addSteps(g, steps, func(s *build.Step) (int, string) {
		if s.Reason == "" {
			return kindIndex(s.State), ""
		}
		return kindIndex(s.State), string(s.State) + ": " + s.Reason
	})
	return drawing.SVG(w, g)
}

// addSteps adds a box for each step, with the kind and the second line of the hint that
// look gives it, and their arrows.
func addSteps(g *drawing.Graph, steps []build.Step, look func(*build.Step) (kind int, hint string)) {
	at := map[string]int{}
	for i := range steps {
		s := &steps[i]
		at[s.ID] = i
		kind, hint := look(s)
		box := drawing.Box{Name: s.ID, Note: shortened(s.Title, max(len(s.ID), 34)), Kind: kind, Hint: s.Title}
		if hint != "" {
			box.Hint += "\n" + hint
		}
		g.Boxes = append(g.Boxes, box)
		for _, in := range s.Needs {
			g.Arrows = append(g.Arrows, drawing.Arrow{From: at[in], To: i})
		}
	}
}

// shortened is a text of at most n characters, cut at a word.
func shortened(text string, n int) string {
	if len([]rune(text)) <= n {
		return text
	}
	cut := string([]rune(text)[:n-1])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}
