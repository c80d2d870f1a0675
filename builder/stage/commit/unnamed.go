package commit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// buildFields are the fields of os-release(5) that name a build, not the system: they are others
// after each change of packages, or in each flavour.
var buildFields = []string{"VERSION_ID", "BUILD_ID", "VARIANT_ID", "IMAGE_ID", "IMAGE_VERSION"}

// UnnamedAction leaves out of os-release what names the build, for the initramfs alone, which has a copy of it:
// a new package that has nothing to do with the initramfs then leaves that as it is, in the
// cache and on machines. [shape.Action] puts the fields back.
var UnnamedAction = task.Define("unnamed", 1, func(_ context.Context, t *task.Task, _ struct{}) error {
	for _, name := range machine.OSReleaseFiles {
		if err := leaveOutFields(filepath.Join(t.Tree, name)); err != nil {
			return fmt.Errorf("leave out what names the build: %w", err)
		}
	}
	return nil
}).Small()

// leaveOutFields removes fields from a file, if it is one: a link leads to another of them.
func leaveOutFields(file string) error {
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "=")
		if !slices.Contains(buildFields, name) {
			kept.WriteString(line)
		}
	}
	if kept.Len() == len(text) {
		return nil // without a change the file stays in its layer
	}
	return os.WriteFile(file, []byte(kept.String()), info.Mode().Perm())
}
