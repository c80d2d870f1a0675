package buildtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Broken is in the title of a step that fails, and Warned of one that warns.
const (
	Broken = "broken"
	Warned = "warned"
)

// executor puts texts in the place of results.
type executor struct {
	store      *layer.Store
	failedLogs string
	sink       event.Sink
}

// Execute implements [engine.Executor].
func (x *executor) Execute(_ context.Context, g *plan.Graph, id string) (layer.Result, error) {
	draft, err := x.store.Begin(g.Key(id))
	if err != nil {
		return layer.Result{}, err
	}
	result, err := x.fill(draft, g.Step(id))
	if err == nil {
		if err = draft.Commit(result); err == nil {
			result, _, err = x.store.Get(g.Key(id))
		}
	}
	if err != nil {
		draft.Abort()
	}
	return result, err
}

// fill makes a step's result.
func (x *executor) fill(draft *layer.Draft, s *plan.Step) (layer.Result, error) {
	result := layer.Result{Step: s.ID, Epoch: epoch, Facts: map[string]string{}}
	x.sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: s.ID, Line: "nothing is run"})
	if err := os.WriteFile(draft.Log, []byte("nothing is run\n"), 0o644); err != nil {
		return result, err
	}
	if strings.Contains(s.Title, Broken) {
		return result, x.failure(s)
	}
	if strings.Contains(s.Title, Warned) {
		result.Warnings = []string{"this is a warning"}
	}
	for _, a := range s.Artifacts {
		path := filepath.Join(draft.Data, a.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return result, err
		}
		file := layer.File{Name: a.Name, Path: a.Path}
		var err error
		switch a.Kind {
		case plan.RepositoryArtifact:
			result.Facts, err = commit(path, s)
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

// failure is how a step fails, with a log.
func (x *executor) failure(s *plan.Step) error {
	log := filepath.Join(x.failedLogs, engine.LogName(s.ID))
	if err := errors.Join(os.MkdirAll(x.failedLogs, 0o755), os.WriteFile(log, []byte("nothing is run\n"), 0o644)); err != nil {
		return err
	}
	return &engine.StepError{
		Step: s.ID, Log: log, Shell: engine.HasShell(s), Command: "false",
		Err: fmt.Errorf("run false: exit status 1\nthe title of the step says that it is %s", Broken),
	}
}
