package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// FilesParams are the parameters of [FilesAction].
type FilesParams struct {
	Feature string `json:"feature"`
	// Watch asks for a warning if packages change.
	Watch bool `json:"watch,omitempty"`
	// Own are the modes and owners of generated files that have others than copying
	// gives them.
	Own []ownParams `json:"own,omitempty"`
}

// FilesAction copies file.include, what exec.build made and generated files over the tree.
var FilesAction = task.Define("files", 3, copyFiles).Small()

// copyFiles copies file.include, what exec.build made and generated files over the tree.
func copyFiles(ctx context.Context, t *task.Task, p FilesParams) error {
	if p.Watch {
		return installed.Watch(t, "file.include of "+p.Feature, func() error { return includeFiles(ctx, t, p) })
	}
	return includeFiles(ctx, t, p)
}

func includeFiles(ctx context.Context, t *task.Task, p FilesParams) error {
	from := []string{filepath.Join(t.Sources["features/"+p.Feature], "file.include")}
	if built := t.Inputs["built"]; built != "" {
		from = append(from, built)
	}
	generated := t.Sources[accounts.GeneratedSource(p.Feature)]
	if generated != "" {
		from = append(from, generated)
	}
	had, err := directoriesOf(t.Tree, generated, p.Own)
	if err != nil {
		return fmt.Errorf("copy the files of %s: %w", p.Feature, err)
	}
	for _, dir := range from {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := treefs.Overlay(dir, t.Tree, t.Log); err != nil {
			return fmt.Errorf("copy the files of %s: %w", p.Feature, err)
		}
	}
	return setGenerated(ctx, t, p.Feature, p.Own, generated, had)
}

type linesParams struct {
	Feature string   `json:"feature"`
	Lines   []string `json:"lines"`
	// Watch asks for a warning if packages change.
	Watch bool `json:"watch,omitempty"`
	// Accounts asks that owners be accounts, also where nothing gets them.
	Accounts bool `json:"accounts,omitempty"`
}

// StatAction sets owners and modes, as file.include.stat says.
var StatAction = task.Define("stat", 3, setOwners).Small()

// setOwners sets owners and modes: lines of USER GROUP MODE PATTERN...
func setOwners(ctx context.Context, t *task.Task, p linesParams) error {
	for _, line := range p.Lines {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			return fmt.Errorf("file.include.stat of %s: %q: want USER GROUP MODE FILE", p.Feature, line)
		}
		if p.Accounts {
			if problem := machine.NoAccount(t.Tree, fields[0], fields[1]); problem != "" {
				return fmt.Errorf("file.include.stat of %s: %q: %s; accounts are made in exec.accounts or by file.include/%s", p.Feature, line, problem, machine.SysusersDir)
			}
		}
		var files []string
		for _, pattern := range fields[3:] {
			found, err := treefs.Glob(t.Tree, pattern)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				t.Warn("file.include.stat of %s: %s matches nothing", p.Feature, pattern)
			}
			files = append(files, found...)
		}
		if err := setStat(ctx, t, fields[0]+":"+fields[1], fields[2], files); err != nil {
			return fmt.Errorf("file.include.stat of %s: %q: %w", p.Feature, line, err)
		}
	}
	return nil
}

// ExcludeAction removes what file.exclude lists.
var ExcludeAction = task.Define("exclude", 4, exclude).Small()

// exclude removes what the patterns match. A line has one or, divided by
// blanks, several. Quotes around one mean nothing, as the Garden Linux builder
// passes names on by xargs(1).
func exclude(_ context.Context, t *task.Task, p linesParams) error {
	if p.Watch {
		return installed.Watch(t, "file.exclude of "+p.Feature, func() error { return excludeFiles(t, p) })
	}
	return excludeFiles(t, p)
}

func excludeFiles(t *task.Task, p linesParams) error {
	root, err := treefs.OpenRoot(t.Tree)
	if err != nil {
		return err
	}
	defer root.Close()
	var patterns []string
	for _, line := range p.Lines {
		patterns = append(patterns, strings.Fields(line)...)
	}
	for _, pattern := range patterns {
		for _, quote := range []string{`"`, `'`} {
			if strings.Count(pattern, quote)%2 == 0 {
				pattern = strings.ReplaceAll(pattern, quote, "")
			}
		}
		found, err := treefs.Glob(t.Tree, pattern)
		if err != nil {
			return err
		}
		for _, file := range found {
			fmt.Fprintf(t.Log, "removed %s\n", file)
			err := root.InParent(strings.TrimPrefix(file, "/"), func(dir *os.Root, base string) error { return dir.RemoveAll(base) })
			// It may have gone with the directory it was in.
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("file.exclude of %s: %w", p.Feature, err)
			}
		}
	}
	return nil
}
