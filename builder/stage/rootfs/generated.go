package rootfs

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// ownParams are the mode and the owners of a generated file, or of a directory and
// all that is generated in it. What is empty stays as it is.
type ownParams struct {
	Path  string `json:"path"`
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`
	Group string `json:"group,omitempty"`
}

// ownOf returns the modes and owners of generated files, where there are any, those of
// directories before those of what is in them.
func ownOf(files []config.Generated) []ownParams {
	var own []ownParams
	for _, f := range files {
		if f.Mode != "" || f.Owner != "" || f.Group != "" || inOwned(files, f.Path) {
			own = append(own, ownParams{Path: f.Path, Mode: f.Mode, Owner: f.Owner, Group: f.Group})
		}
	}
	slices.SortStableFunc(own, func(a, b ownParams) int { return len(a.Path) - len(b.Path) })
	return own
}

// inOwned reports that a path is in a directory that is copied with an owner of its own: what
// is written by itself is root's there as well.
func inOwned(files []config.Generated, file string) bool {
	return slices.ContainsFunc(files, func(f config.Generated) bool {
		return f.Source != "" && f.Owner+f.Group != "" && strings.HasPrefix(file, f.Path+"/")
	})
}

// placeHints say where generated files with an owner or mode are written, by path:
// moving a line must not change a key.
type placeHints struct {
	Places map[string]hcl.Range `json:"places"`
}

// hintsOf returns the hints for a step that copies these files, nil if it needs none.
func hintsOf(files []config.Generated) json.RawMessage {
	h := placeHints{Places: map[string]hcl.Range{}}
	for _, own := range ownOf(files) {
		i := slices.IndexFunc(files, func(f config.Generated) bool { return f.Path == own.Path })
		h.Places[own.Path] = files[i].Range
	}
	if len(h.Places) == 0 {
		return nil
	}
	return task.EncodeHints(h)
}

// noAccount says, as the end of a sentence, which of the two the tree has no account for,
// and which was probably meant; "" if it has both.
func noAccount(tree, user, group string) string {
	problem := machine.NoAccount(tree, user, group)
	if problem == "" {
		return ""
	}
	users, groups := machine.ReadNumbers(filepath.Join(tree, "etc"))
	known, name := slices.Sorted(maps.Values(groups)), group
	if machine.NoAccount(tree, user, "0") != "" {
		known, name = slices.Sorted(maps.Values(users)), user
	}
	if meant := config.Suggest(name, known); meant != "" {
		return fmt.Sprintf("%s. Did you mean %q?", problem, meant)
	}
	return problem + "."
}

// directoriesOf are those directories of a tree, by their paths, that generated files in
// the directory from are copied into: they keep their owners.
func directoriesOf(tree, from string, all []ownParams) (map[string]bool, error) {
	had := map[string]bool{}
	if len(all) == 0 {
		return had, nil
	}
	root, err := treefs.OpenRoot(tree)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return had, filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || name == from {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(name, from+"/"))
		if info, err := root.Stat(rel); err != nil || !info.IsDir() {
			return fs.SkipDir
		}
		had["/"+rel] = true
		return nil
	})
}

// setGenerated sets the modes and owners of generated files, which are in the
// directory from as well. had are directories that were there before.
func setGenerated(ctx context.Context, t *task.Task, feature string, all []ownParams, from string, had map[string]bool) error {
	if len(all) == 0 {
		return nil
	}
	at, err := task.Hints[placeHints](t)
	if err != nil {
		return err
	}
	var found diag.Findings
	for _, own := range all {
		user, group := own.Owner, own.Group
		if user == "" {
			user = "root"
		}
		if group == "" {
			group = "root"
		}
		if problem := noAccount(t.Tree, user, group); problem != "" {
			_ = found.Add(diag.Foundf(at.Places[own.Path], "Unknown owner", "%s of %s cannot have this owner: %s", own.Path, feature, problem)) // which is a fault
			continue
		}
		files, err := filesBelow(from, own.Path, had)
		if err != nil {
			return err
		}
		if err := setStat(ctx, t, user+":"+group, own.Mode, files); err != nil {
			return diag.Foundf(at.Places[own.Path], "Owner or mode that cannot be set", "The owner and mode of %s of %s cannot be set: %w", own.Path, feature, err)
		}
	}
	return found.Err()
}

// filesBelow are a path of generated files in the directory from and all that is below
// it, without links, which chown would follow, and without directories that were there.
func filesBelow(from, at string, had map[string]bool) ([]string, error) {
	var files []string
	err := filepath.WalkDir(filepath.Join(from, at), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Type() == fs.ModeSymlink {
			return err
		}
		if file := path.Join("/", filepath.ToSlash(strings.TrimPrefix(name, from))); !had[file] {
			files = append(files, file)
		}
		return nil
	})
	return files, err
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
