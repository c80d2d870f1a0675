package build

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treetest"
)

// TestInstallWaits: while a build installs packages on this machine, another one says that
// it waits, and installs nothing.
func TestInstallWaits(t *testing.T) {
	if !sandbox.Installed("apt-get") {
		treetest.Skip(t, "needs apt-get, which this machine lacks: run it on Debian")
	}
	defer func(lock string) { installLock = lock }(installLock)
	installLock = filepath.Join(t.TempDir(), "lock")
	unlock, err := layer.LockFile(context.Background(), installLock, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, stop := context.WithCancel(context.Background())
	heard := &stopping{stop: stop}
	// A name that no package has: apt-get would say so.
	err = install(ctx, reporter{heard}, []string{"treewright-no-such-package"})
	if !errors.Is(err, context.Canceled) || len(heard.lines) != 1 || !strings.Contains(heard.lines[0], "another build, which installs packages") {
		t.Errorf("error %v, said %q", err, heard.lines)
	}
}

// stopping is a recorder that ends the context when an event comes.
type stopping struct {
	recorder
	stop func()
}

func (s *stopping) Emit(e event.Event) {
	s.recorder.Emit(e)
	s.stop()
}
