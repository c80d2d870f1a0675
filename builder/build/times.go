package build

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treefs"
)

// Times are how long the steps of flavours took when they ran, by flavour and step.
type Times map[string]map[string]time.Duration

// add notes a time, unless it makes no sense. A step that took no time at all took some.
func (t Times) add(flavour, step string, seconds float64) {
	if seconds < 0 || seconds >= math.MaxInt32 {
		return
	}
	if t[flavour] == nil {
		t[flavour] = map[string]time.Duration{}
	}
	t[flavour][step] = max(time.Millisecond, time.Duration(math.Round(seconds*1000))*time.Millisecond)
}

// LastTimes are the times in the manifests of the last builds in the output of a project's
// flavours.
func (b *Builder) LastTimes(p *config.Project) Times {
	t, known := Times{}, flavourNames(p)
	for _, m := range b.manifests() {
		if !slices.Contains(known, m.Flavour) {
			continue
		}
		for _, s := range m.Steps {
			t.add(m.Flavour, s.ID, s.Seconds)
		}
	}
	return t
}

// mostTimes is how long a file with times may be, in bytes.
const mostTimes = 256 << 20

// ReadTimes reads what `matrix --format json` wrote: from files, and from all files of
// directories whose names end in .json. Of two times of a step, the longer one counts, so
// that the order does not.
func ReadTimes(paths []string) (Times, error) {
	t := Times{}
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			files = nil
			err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() && strings.HasSuffix(file, ".json") {
					files = append(files, file)
				}
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("read the times in %s: %w", path, err)
			}
		}
		for _, file := range files {
			if err := t.read(file); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// read adds the times in a file.
func (t Times) read(file string) error {
	text, err := treefs.ReadFile(file, mostTimes)
	if err != nil {
		return diag.Requestf("--times: %v", err)
	}
	var made struct {
		Flavours []struct {
			Name  string
			Times map[string]float64
		}
	}
	if err := json.Unmarshal(text, &made); err != nil || made.Flavours == nil {
		return diag.Requestf("--times: %s is not what `./build matrix --format json` writes", file)
	}
	for _, f := range made.Flavours {
		for step, seconds := range f.Times {
			before := t[f.Name][step]
			if t.add(f.Name, step, seconds); t[f.Name][step] < before {
				t[f.Name][step] = before
			}
		}
	}
	return nil
}

// estimates are how long the steps of outlines will take, by key: the longest known time
// of the same step; without one, that of the step of that name in another flavour; else
// the usual time.
func (t Times) estimates(all []*Outline) map[string]time.Duration {
	known, named := map[string]time.Duration{}, map[string][]time.Duration{}
	for _, o := range all {
		for id, d := range t[o.Name] {
			if o.Graph.Step(id) != nil {
				key := o.Graph.Key(id)
				known[key] = max(known[key], d)
			}
		}
	}
	for _, steps := range t {
		for id, d := range steps {
			named[id] = append(named[id], d)
		}
	}
	for _, list := range named {
		slices.Sort(list)
	}
	out := map[string]time.Duration{}
	for _, o := range all {
		counts := map[string]int{}
		for _, s := range o.Graph.Steps() {
			key := o.Graph.Key(s.ID)
			d, ok := known[key]
			if list := named[s.ID]; !ok && len(list) > 0 {
				d, ok = list[len(list)/2], true
			}
			if usual := usualTime(s, o.Locked, counts); !ok {
				d = usual
			}
			out[key] = max(out[key], d)
		}
	}
	return out
}

// usualTimes are how long steps of an action took in the builds of docs/performance.md. Actions that take little time are
// left out.
var usualTimes = map[string]time.Duration{
	"bootstrap": 9 * time.Second, "fetch": time.Second, "initramfs": 7 * time.Second, "ostree-tree": 1300 * time.Millisecond, "ostree-commit": 5 * time.Second,
	"archive": 2 * time.Second, "disk": 7 * time.Second, "qcow2": 2 * time.Second, "install": 500 * time.Millisecond, "script": 300 * time.Millisecond,
}

const (
	otherSteps = 100 * time.Millisecond // without an entry
	onePackage = 130 * time.Millisecond // to install it
	// brought is how many packages one that is asked for brings, itself included.
	brought = 4
)

// usualTime is how long a step usually takes. counts are the packages in the trees of the steps before
// it.
func usualTime(s *plan.Step, locked bool, counts map[string]int) time.Duration {
	d, ok := usualTimes[s.Action]
	if !ok {
		d = otherSteps
	}
	before := counts[s.Base]
	counts[s.ID] = before
	var has struct{ Packages, Expected []json.RawMessage }
	if s.Action != "install" && s.Action != "bootstrap" || json.Unmarshal(s.Params, &has) != nil {
		return d
	}
	counts[s.ID] = len(has.Packages) + len(has.Expected)
	if s.Action != "install" {
		return d
	}
	n := time.Duration(max(0, counts[s.ID]-before))
	if !locked {
		n *= brought
	}
	return d + n*onePackage
}
