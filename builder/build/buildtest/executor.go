package buildtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Broken is in the title of a step that fails, and Warned in the title of a step that warns. Nowhere is a
// time zone that is not in any tree.
const (
	Broken  = "broken"
	Warned  = "warned"
	Nowhere = "Nowhere/Land"
)

// executor puts texts in the place of results.
type executor struct{ sink event.Sink }

// Execute implements [engine.Executor].
func (x *executor) Execute(_ context.Context, r *engine.Request) (layer.Result, error) {
	s := &r.Step
	result := layer.Result{Epoch: epoch, Facts: map[string]string{}}
	x.sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: s.ID, Line: "nothing is run"})
	if err := os.WriteFile(r.Log, []byte("nothing is run\n"), 0o644); err != nil {
		return result, err
	}
	if strings.Contains(s.Title, Broken) {
		err := fmt.Errorf("run false: exit status 1\nthe title of the step says that it is %s", Broken)
		return result, &engine.Failure{Command: "false", Err: err}
	}
	if strings.Contains(string(s.Params), Nowhere) {
		var at struct{ Places map[string]hcl.Range }
		if err := json.Unmarshal(s.Hints, &at); err != nil {
			return result, err
		}
		fault := diag.Foundf(at.Places["timezone"], "Unknown time zone", "There is no time zone %q.", Nowhere)
		return result, &engine.Failure{Fault: fault, Err: fault}
	}
	if strings.Contains(s.Title, Warned) {
		result.Warnings = []string{"this is a warning"}
	}
	for _, a := range s.Artifacts {
		path := filepath.Join(r.Data, a.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return result, err
		}
		file := layer.File{Name: a.Name, Path: a.Path}
		var err error
		switch a.Kind {
		case plan.RepositoryArtifact:
			result.Facts, err = commit(path, s)
		case plan.DeltasArtifact:
			err = os.Mkdir(path, 0o755)
		case plan.PoolArtifact:
			err = pool(path, s)
		case plan.DirArtifact:
			if err = os.Mkdir(path, 0o755); err == nil {
				err = os.WriteFile(filepath.Join(path, "text"), []byte("made by "+s.ID+"\n"), 0o644)
			}
		default:
			if err = os.WriteFile(path, []byte("made by "+s.ID+"\n"), 0o644); err == nil {
				file.Size = int64(len("made by " + s.ID + "\n"))
				file.SHA256, err = layer.HashFile(path)
			}
		}
		if err != nil {
			return result, err
		}
		result.Files = append(result.Files, file)
	}
	return result, nil
}

// pool makes the files of packages. The archive's hash of each file is the hash of its name.
func pool(dir string, s *plan.Step) error {
	index, err := os.ReadFile(filepath.Join(s.Sources[0].Path, "Packages"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "pool"), 0o755); err != nil {
		return err
	}
	for _, p := range distro.ReadIndex(index) {
		if err := os.WriteFile(filepath.Join(dir, "pool", p.Name+"_"+p.Version+"_"+p.Arch+".deb"), []byte(p.Name), 0o644); err != nil {
			return err
		}
	}
	return nil
}
