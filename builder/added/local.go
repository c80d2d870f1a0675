package added

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
)

// madeHere is the kind of the origin of images that the machine makes itself. They are not signed, but the packages in them are.
const madeHere = "this machine"

// repository is the machine's own repository.
const repository = "ostree/repo"

// scratchPrefix begins the names of directories below /var/tmp in which images are made.
const scratchPrefix = "treewright-added-"

// local makes images on the machine itself, from the pool of the commit and its own sources of packages.
type local struct {
	*Machine
	d Deployment
	// bundle is a directory that has the pool, "" for the pool of the server.
	bundle string
	// from is the place of the pool that is used, "" without one.
	from string
	// scratch is the directory in which the image is made, "" before the first request.
	scratch string
	made    *build.Extended
}

// Origin implements [Source].
func (l *local) Origin() Origin {
	if l.from != "" {
		return Origin{madeHere, "with packages of the pool at " + l.from}
	}
	return Origin{madeHere, "with packages of the sources in /etc/apt"}
}

// Document implements [Source].
func (l *local) Document(ctx context.Context, q extend.Request) (text, signature []byte, err error) {
	if err := os.MkdirAll(l.at("var/tmp"), 0o1777); err != nil {
		return nil, nil, err
	}
	if l.scratch, err = os.MkdirTemp(l.at("var/tmp"), scratchPrefix); err != nil {
		return nil, nil, err
	}
	work := filepath.Join(l.scratch, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return nil, nil, err
	}
	pool, err := l.pool(ctx, q.Commit)
	if err != nil {
		return nil, nil, err
	}
	l.Say("making the image of " + packagesOf(q.Packages) + " on this machine")
	l.made, err = l.Extend(ctx, build.HereRequest{Repo: l.at(repository), Commit: q.Commit, Packages: q.Packages, Scratch: work, Pool: pool, Sink: &steps{say: l.Say}})
	if err != nil {
		return nil, nil, err
	}
	text, err = os.ReadFile(filepath.Join(l.made.Dir, filepath.FromSlash(q.DocumentFile())))
	return text, nil, err
}

// Image implements [Source].
func (l *local) Image(context.Context, *extend.Document) (io.ReadCloser, error) {
	return os.Open(l.made.Image)
}

// Try implements [Source]. It does not try again: a failure here is permanent.
func (l *local) Try(_ context.Context, _ string, work func() error) error { return work() }

// Close removes the temporary files of making the image.
func (l *local) Close() error {
	if l.scratch == "" {
		return nil
	}
	return layer.RemoveAll(l.scratch)
}

// sweepScratch removes the temporary files of an interrupted process that made an image. The caller has the lock.
func (m *Machine) sweepScratch() error {
	entries, err := os.ReadDir(m.at("var/tmp"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), scratchPrefix) {
			err = errors.Join(err, layer.RemoveAll(m.at("var/tmp", e.Name())))
		}
	}
	return err
}

// steps reports the progress of a build, a line for each step, and the last lines of a step that fails: its log is removed at the end.
type steps struct {
	say   func(string)
	ended int
	all   int64
	// mu is for output: steps that run at the same time have some.
	mu     sync.Mutex
	output map[string][]string
}

// shownOutput is the number of lines that are shown of a step that fails.
const shownOutput = 20

// Emit implements [event.Sink].
func (s *steps) Emit(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case event.StepOutput:
		if s.output == nil {
			s.output = map[string][]string{}
		}
		lines := append(s.output[e.Step], e.Line)
		s.output[e.Step] = lines[max(0, len(lines)-shownOutput):]
	case event.StepFailed:
		for _, line := range s.output[e.Step] {
			s.say("  " + line)
		}
	case event.BuildStarted:
		s.all = e.Total
	case event.StepStarted:
		s.ended++
		s.say(fmt.Sprintf("step %d of %d: %s", s.ended, s.all, e.Title))
	case event.Warning:
		s.say("warning: " + e.Line)
	}
}

// Close implements [event.Sink].
func (s *steps) Close() error { return nil }
