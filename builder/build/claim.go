package build

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/publish"
)

// Claim makes a subject's directories and keeps others from writing there until
// unlock is called. say is told why it waits, and what was taken over from an
// earlier version. It gives up when ctx ends.
func Claim(ctx context.Context, out publish.Output, name string, say func(kind event.Kind, line string)) (unlock func(), err error) {
	waiting := func() { say(event.Waiting, "another build of "+name) }
	for unlock == nil {
		if err := out.Make(); err != nil {
			return nil, err
		}
		// Who had it may have removed what was empty.
		if unlock, err = layer.LockFile(ctx, out.Lock(), waiting); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	moved, err := out.TakeOver(ctx, waiting)
	if err != nil {
		unlock()
		return nil, err
	}
	if moved {
		say(event.Note, Shown(out.Public)+" has only artifacts now: the manifest, logs and machine disks of an earlier version were moved to "+Shown(out.Private))
	}
	return unlock, nil
}

// Shown returns a path as a user in this directory would write it.
func Shown(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return path
}
