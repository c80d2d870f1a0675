package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type filesParams struct {
	Feature string `json:"feature"`
	// Watch asks for a word on changes of packages.
	Watch bool `json:"watch,omitempty"`
}

// filesAction lays file.include, and what exec.build made, over the tree.
func filesAction(_ context.Context, t *Task) error {
	p, err := params[filesParams](t)
	if err != nil {
		return err
	}
	if p.Watch {
		return t.watchPackages("file.include of "+p.Feature, func() error { return t.includeFiles(p) })
	}
	return t.includeFiles(p)
}

func (t *Task) includeFiles(p filesParams) error {
	from := []string{filepath.Join(t.Sources["features/"+p.Feature], "file.include")}
	if built := t.Inputs["built"]; built != "" {
		from = append(from, built)
	}
	for _, dir := range from {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := overlayFiles(dir, t.Tree, t.Log); err != nil {
			return fmt.Errorf("copy the files of %s: %w", p.Feature, err)
		}
	}
	return nil
}

// overlayFiles copies what lies below from over the tree: files get root as
// their owner and their mode with u+rw,go=u-w (as the Garden Linux builder has
// it), folders that are there keep what they have. Links in the tree are
// followed on the way to a file (usr merge, /var/run), as programs of the tree
// would, so never out of it.
func overlayFiles(from, tree string, log io.Writer) error {
	root, err := openTree(tree)
	if err != nil {
		return err
	}
	defer root.Close()
	links := map[uint64]string{}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == from {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			err = overlayDir(root, rel, info)
		} else {
			err = overlayEntry(root, p, rel, info, links)
		}
		if err != nil {
			return fmt.Errorf("/%s: %w", rel, err)
		}
		if !d.IsDir() {
			fmt.Fprintf(log, "included /%s\n", rel)
		}
		return nil
	})
}

// overlayDir makes a directory unless there is one, perhaps behind a link.
func overlayDir(root *treeRoot, rel string, info fs.FileInfo) error {
	have, err := root.Stat(rel)
	switch {
	case err == nil && have.IsDir():
		return nil
	case err == nil:
		return errors.New("it is a directory in the feature and not in the tree")
	}
	if err := root.explain(rel, nil); err != nil {
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.inParent(rel, func(dir *os.Root, base string) error {
		return errors.Join(dir.Mkdir(base, 0o755), dir.Chmod(base, includeMode(info.Mode())))
	})
}

// overlayEntry copies a file or a link. links are the files with several names
// that were copied, by their inode.
func overlayEntry(root *treeRoot, p, rel string, info fs.FileInfo, links map[uint64]string) error {
	return root.inParent(rel, func(dir *os.Root, base string) error {
		if have, err := dir.Lstat(base); err == nil {
			if have.IsDir() {
				return errors.New("it is a directory in the tree and not in the feature")
			}
			if err := dir.Remove(base); err != nil {
				return err
			}
		}
		if info.Mode().Type() == fs.ModeSymlink {
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			return dir.Symlink(target, base)
		}
		if ino, many := linkedInode(info); many {
			if first, ok := links[ino]; ok {
				return root.link(first, rel)
			}
			links[ino] = rel
		}
		return overlayFile(dir, p, base, info)
	})
}

func overlayFile(dir *os.Root, p, base string, info fs.FileInfo) error {
	out, err := dir.OpenFile(base, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fill(out, p), out.Chmod(includeMode(info.Mode())), out.Close())
}

// fill writes a file's content into an open one.
func fill(out *os.File, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, in)
	return err
}

// includeMode is chmod u+rw,go=u-w.
func includeMode(m fs.FileMode) fs.FileMode {
	user := m.Perm()>>6&7 | 6
	other := user &^ 2
	return user<<6 | other<<3 | other
}

type linesParams struct {
	Feature string   `json:"feature"`
	Lines   []string `json:"lines"`
	// Watch asks for a word on changes of packages.
	Watch bool `json:"watch,omitempty"`
	// Accounts asks that owners be accounts, also where nothing gets them.
	Accounts bool `json:"accounts,omitempty"`
}

// statAction sets owners and modes: lines of USER GROUP MODE PATTERN...
func statAction(ctx context.Context, t *Task) error {
	p, err := params[linesParams](t)
	if err != nil {
		return err
	}
	for _, line := range p.Lines {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			return fmt.Errorf("file.include.stat of %s: %q: want USER GROUP MODE FILE", p.Feature, line)
		}
		if p.Accounts {
			if problem := noAccount(t.Tree, fields[0], fields[1]); problem != "" {
				return fmt.Errorf("file.include.stat of %s: %q: %s; accounts are made in exec.accounts or by file.include/%s", p.Feature, line, problem, sysusersDir)
			}
		}
		var files []string
		for _, pattern := range fields[3:] {
			found, err := globTree(t.Tree, pattern)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				t.Warn("file.include.stat of %s: %s matches nothing", p.Feature, pattern)
			}
			files = append(files, found...)
		}
		// Inside the tree, as names are those of its /etc/passwd. chown first:
		// it clears set-user-ID bits.
		for _, argv := range [][]string{{"chown", fields[0] + ":" + fields[1], "--"}, {"chmod", fields[2], "--"}} {
			// Command lines have a largest length, and "/usr/**" is long.
			for some := range slices.Chunk(files, 1000) {
				if err := t.InTree(ctx, slices.Concat(argv, some)...); err != nil {
					return fmt.Errorf("file.include.stat of %s: %q: %w", p.Feature, line, err)
				}
			}
		}
	}
	return nil
}

// excludeAction removes what the patterns match. A line has one or, divided by
// blanks, several. Quotes around one mean nothing, as the Garden Linux builder
// passes names on by xargs(1).
func excludeAction(_ context.Context, t *Task) error {
	p, err := params[linesParams](t)
	if err != nil {
		return err
	}
	if p.Watch {
		return t.watchPackages("file.exclude of "+p.Feature, func() error { return t.excludeFiles(p) })
	}
	return t.excludeFiles(p)
}

func (t *Task) excludeFiles(p linesParams) error {
	root, err := openTree(t.Tree)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, pattern := range strings.Fields(strings.Join(p.Lines, "\n")) {
		for _, quote := range []string{`"`, `'`} {
			if strings.Count(pattern, quote)%2 == 0 {
				pattern = strings.ReplaceAll(pattern, quote, "")
			}
		}
		found, err := globTree(t.Tree, pattern)
		if err != nil {
			return err
		}
		for _, file := range found {
			fmt.Fprintf(t.Log, "removed %s\n", file)
			err := root.inParent(strings.TrimPrefix(file, "/"), func(dir *os.Root, base string) error { return dir.RemoveAll(base) })
			// It may have gone with the directory it was in.
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("file.exclude of %s: %w", p.Feature, err)
			}
		}
	}
	return nil
}
