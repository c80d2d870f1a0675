package rootfs

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// ownParams are the mode and the owners of a generated file, or of a directory and
// all that is generated in it. What is empty stays as it is.
type ownParams struct {
	Path  string `json:"path"`
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`
	Group string `json:"group,omitempty"`
}

// ownOf returns the modes and owners of generated files, where there are any.
func ownOf(files []config.Generated) []ownParams {
	var own []ownParams
	for _, f := range files {
		if f.Mode != "" || f.Owner != "" || f.Group != "" {
			own = append(own, ownParams{Path: f.Path, Mode: f.Mode, Owner: f.Owner, Group: f.Group})
		}
	}
	return own
}

// setGenerated sets the modes and owners of generated files, which are in the
// directory from as well.
func setGenerated(ctx context.Context, t *task.Task, feature string, all []ownParams, from string) error {
	for _, own := range all {
		user, group := own.Owner, own.Group
		if user == "" {
			user = "root"
		}
		if group == "" {
			group = "root"
		}
		if problem := machine.NoAccount(t.Tree, user, group); problem != "" {
			return fmt.Errorf("%s of %s: %s", own.Path, feature, problem)
		}
		var files []string
		err := filepath.WalkDir(filepath.Join(from, own.Path), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.Type() == fs.ModeSymlink {
				return err // chown would follow it
			}
			files = append(files, path.Join("/", filepath.ToSlash(strings.TrimPrefix(name, from))))
			return nil
		})
		if err != nil {
			return err
		}
		if err := setStat(ctx, t, user+":"+group, own.Mode, files); err != nil {
			return fmt.Errorf("%s of %s: %w", own.Path, feature, err)
		}
	}
	return nil
}

// setStat gives files of the tree an owner, as chown takes it, and a mode. "" leaves
// either as it is.
func setStat(ctx context.Context, t *task.Task, owner, mode string, files []string) error {
	// Inside the tree, as names are those of its /etc/passwd. chown first:
	// it clears set-user-ID bits.
	for _, argv := range [][]string{{"chown", owner, "--"}, {"chmod", mode, "--"}} {
		if argv[1] == "" {
			continue
		}
		// Command lines have a largest length, and "/usr/**" is long.
		for some := range slices.Chunk(files, 1000) {
			if err := t.InTree(ctx, slices.Concat(argv, some)...); err != nil {
				return err
			}
		}
	}
	return nil
}
