package engine

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// fullOnce counts the results that it does not take.
type fullOnce struct {
	Store
	tried atomic.Int32
}

func (s *fullOnce) Unpack(r io.Reader, _ string) (layer.Result, error) {
	s.tried.Add(1)
	_, _ = io.Copy(io.Discard, r)
	return layer.Result{}, unix.ENOSPC
}

// TestFullDiskOnce: after a result that does not fit no other one is pulled, and the error is shown once.
func TestFullDiskOnce(t *testing.T) {
	var steps []plan.Step
	var targets []string
	for _, id := range strings.Split("abcdefghijklmnop", "") {
		steps, targets = append(steps, plan.Step{ID: id, Action: id, Output: plan.Dir}), append(targets, id)
	}
	g, cache := graphOf(t, steps...), &distant{}
	there, _, _ := sharing(t, cache)
	if _, err := there.Run(t.Context(), g, targets); err != nil {
		t.Fatal(err)
	}
	e, _, _ := sharing(t, cache)
	full := &fullOnce{Store: e.Store}
	e.Store = full
	_, err := e.Pull(t.Context(), g, targets)
	if !errors.Is(err, unix.ENOSPC) || strings.Contains(err.Error(), "\n") || full.tried.Load() > 2*pullers {
		t.Errorf("%d were pulled; error %v", full.tried.Load(), err)
	}
}
