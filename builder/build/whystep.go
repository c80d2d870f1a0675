package build

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// StepStory is what became of the key of a step since the last finished build.
type StepStory struct {
	Step
	// Built reports whether there was such a build.
	Built bool `json:"built"`
	// Changes are what differs in the step's own definition, or in its inputs.
	Changes []KeyChange `json:"changes"`
	// Causes are the changes of steps that it follows from, as far as its inputs differ: of
	// those whose inputs do not.
	Causes []Cause `json:"causes"`
}

// KeyChange is a change of a key.
type KeyChange struct {
	plan.Difference
	Text string `json:"text"`
	// Details are a line each: the files or packages that differ, or both values.
	Details []string `json:"details,omitempty"`
}

// Cause is a step that changed, and how.
type Cause struct {
	Step    string      `json:"step"`
	Changes []KeyChange `json:"changes"`
}

// WhyStep returns what changed in the key of a step since the last finished build.
func (b *Builder) WhyStep(ctx context.Context, p *Prepared, id string, sink event.Sink) (*StepStory, error) {
	if err := p.hasStep(id); err != nil {
		return nil, err
	}
	before, err := b.recall(p.Subject.Flavour())
	if err != nil {
		return nil, err
	}
	steps, err := b.Plan(ctx, p, sink)
	if err != nil {
		return nil, err
	}
	story := &StepStory{Built: before != nil, Changes: []KeyChange{}, Causes: []Cause{}}
	for _, s := range steps {
		if s.ID == id {
			story.Step = s
		}
	}
	if before == nil {
		return story, nil
	}
	differences := map[string][]plan.Difference{}
	var follow func(id string)
	follow = func(id string) {
		if _, seen := differences[id]; seen {
			return
		}
		differences[id] = p.Graph.Differences(id, before)
		for _, d := range differences[id] {
			if d.Kind == plan.OfInput {
				follow(d.Name)
			}
		}
	}
	follow(id)
	story.Changes = append(story.Changes, b.changesOf(p, id, differences[id])...)
	for _, s := range p.Graph.Steps() {
		own := slices.DeleteFunc(slices.Clone(differences[s.ID]), func(d plan.Difference) bool { return d.Kind == plan.OfInput })
		if s.ID != id && len(own) > 0 {
			story.Causes = append(story.Causes, Cause{s.ID, b.changesOf(p, s.ID, own)})
		}
	}
	return story, nil
}

// changesOf explains differences of a step.
func (b *Builder) changesOf(p *Prepared, id string, differences []plan.Difference) []KeyChange {
	var out []KeyChange
	for _, d := range differences {
		c := KeyChange{Difference: d, Text: d.String()}
		switch d.Kind {
		case plan.OfSource:
			c.Details = b.sourceDetails(d)
		case plan.OfParameter:
			c.Details = parameterDetails(d)
		case plan.OfVariable:
			c.Details = oldAndNew(d)
		}
		out = append(out, c)
	}
	return out
}

// oldAndNew are both values, as far as there are any.
func oldAndNew(d plan.Difference) []string {
	const most = 200
	var lines []string
	for _, v := range []struct{ what, value string }{{"was", d.Old}, {"is", d.New}} {
		switch {
		case v.value == "":
			lines = append(lines, v.what+" not set")
		case len(v.value) > most:
			lines = append(lines, fmt.Sprintf("%s %s... (%d bytes)", v.what, strings.ToValidUTF8(v.value[:most], ""), len(v.value)))
		default:
			lines = append(lines, v.what+" "+v.value)
		}
	}
	return lines
}

// parameterDetails are both values of a parameter, or which packages of a list differ.
func parameterDetails(d plan.Difference) []string {
	var was, is []distro.Package
	lists := len(d.Old)+len(d.New) > 0
	for _, v := range []struct {
		text string
		into *[]distro.Package
	}{{d.Old, &was}, {d.New, &is}} {
		if v.text == "" {
			continue
		}
		if json.Unmarshal([]byte(v.text), v.into) != nil || slices.ContainsFunc(*v.into, func(p distro.Package) bool { return p.Name == "" || p.Version == "" }) {
			lists = false
		}
	}
	if lists {
		if lines := packageLines(was, is); len(lines) > 0 {
			return lines
		}
	}
	var old, now []json.RawMessage
	if json.Unmarshal([]byte(d.Old), &old) == nil && json.Unmarshal([]byte(d.New), &now) == nil {
		if lines := append(only("added ", now, old), only("removed ", old, now)...); len(lines) > 0 {
			return lines
		}
	}
	return oldAndNew(d)
}

// only are the elements of a list that another one does not have, by their names if that is
// all they have.
func only(what string, list, without []json.RawMessage) []string {
	var lines []string
	for _, e := range list {
		if slices.ContainsFunc(without, func(o json.RawMessage) bool { return string(o) == string(e) }) {
			continue
		}
		text := string(e)
		var name string
		var object map[string]any
		if json.Unmarshal(e, &name) == nil {
			text = name
		} else if json.Unmarshal(e, &object) == nil && len(object) == 1 && object["name"] != nil {
			text = fmt.Sprint(object["name"])
		}
		lines = append(lines, what+text)
	}
	return lines
}

func packageLines(was, is []distro.Package) []string {
	var lines []string
	for _, c := range distro.Changes(was, is) {
		lines = append(lines, c.String())
	}
	return lines
}

// sourceDetails are the files of a source that differ, or the packages of a list of them.
// The snapshot of the earlier build may have been removed from the cache.
func (b *Builder) sourceDetails(d plan.Difference) []string {
	was, is := b.snapshotOf(d.Old), b.snapshotOf(d.New)
	if was == "" && d.Old != "" {
		return []string{"the cache does not have the earlier one any more"}
	}
	if d.Name == "index" {
		old, _ := os.ReadFile(filepath.Join(was, "Packages"))
		now, _ := os.ReadFile(filepath.Join(is, "Packages"))
		if lines := packageLines(distro.ReadIndex(old), distro.ReadIndex(now)); len(lines) > 0 {
			return lines
		}
	}
	old, now := sumsBelow(was), sumsBelow(is)
	var lines []string
	names := maps.Clone(old)
	maps.Copy(names, now)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		switch {
		case old[name] == "":
			lines = append(lines, name+" is new")
		case now[name] == "":
			lines = append(lines, name+" is gone")
		case old[name] != now[name]:
			lines = append(lines, name+" changed")
		}
	}
	return lines
}

// snapshotOf is the directory of a source in the cache; "" if it is not there.
func (b *Builder) snapshotOf(digest string) string {
	sum, ok := strings.CutPrefix(digest, "sha256:")
	if dir := filepath.Join(b.snapshots(), sum); ok && exists(dir) {
		return dir
	}
	return ""
}

// sumsBelow identify the files in a directory, by their paths. What cannot be read is as
// if it were not there.
func sumsBelow(dir string) map[string]string {
	sums := map[string]string{}
	if dir == "" {
		return sums
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		text := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			text, err = os.Readlink(path)
		} else {
			text, err = layer.HashFile(path)
		}
		if err == nil {
			sums[strings.TrimPrefix(path, dir+"/")] = info.Mode().String() + " " + text
		}
		return nil
	})
	return sums
}
