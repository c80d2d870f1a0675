package extension

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/lint"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// TreeAction makes an extension's directory: what is new in a tree.
var TreeAction = task.Define("extension-tree", 10, makeExtension)

// makeExtension makes t.Out/NAME, a directory with what the extension adds
// to the committed tree.
func makeExtension(ctx context.Context, t *task.Task, p TreeParams) error {
	if err := installed.NoteExtension(t, p.Name); err != nil {
		return err
	}
	trees := extensionTrees{extended: t.Tree, system: t.Inputs["system"], committed: t.Inputs["committed"], distro: t.Distro, packages: p.Packages}
	var err error
	if trees.ignored, err = trees.excluded(p.Exclude); err != nil {
		return err
	}
	if trees.newModules, err = listModules(ctx, t, trees); err != nil {
		return err
	}
	from, err := findExtensionOrigins(t)
	if err != nil {
		return err
	}
	accounts, system, err := trees.settleExtensionAccounts(p.Ledger)
	if err != nil {
		return err
	}
	d, err := trees.diff(ctx, p.Exclude)
	if err != nil {
		return fmt.Errorf("compare the extension with the system: %w", err)
	}
	o := outside{trees: trees, name: p.Name, packages: p.Packages, from: from}
	if err := o.sort(d.outside); err != nil {
		return err
	}
	if err := o.units.shipped(d.leaving); err != nil {
		return err
	}
	dangling, err := trees.join(d, &o)
	if err != nil {
		return fmt.Errorf("follow the extension's links: %w", err)
	}
	if err := trees.refuse(p, t.Step.Arch, d); err != nil {
		return err
	}
	for _, name := range trees.passwords(accounts) {
		o.notes = append(o.notes, fmt.Sprintf("the password of %s is left out: an extension cannot contain passwords", name))
	}
	for _, text := range slices.Concat(o.notes, accounts.notes, dangling) {
		t.Warn("%s", text)
	}
	// Nothing but packages that the commit has can be asked for, by machines of an earlier commit without them.
	if !p.Packages && !slices.ContainsFunc(d.leaving, func(l leaving) bool { return !l.directory }) {
		return fmt.Errorf("the extension %s is empty: its features add nothing that the system does not have", p.Name)
	}
	s := setup{name: p.Name, sysusers: accounts.lines(system), first: o.first, lasting: o.lasting, own: accounts.own, start: o.units.start, early: o.units.early, ownOrder: o.units.ownOrder, leaving: d.leaving}
	return writeExtension(t, p, trees, s)
}

// findExtensionOrigins describes what in /var is there because of a feature.
func findExtensionOrigins(t *task.Task) (*origin.Origins, error) {
	o := &origin.Origins{Brought: map[string]bool{}, Scripted: map[string]bool{}}
	return o, errors.Join(
		treefs.AddChanged(o.Brought, t.Inputs["packages"], t.Inputs["files"], "var"),
		treefs.AddChanged(o.Scripted, t.Inputs["files"], t.Tree, "var"))
}

// listModules brings the lists of kernel modules up to date if the extension has
// some, and reports whether it has.
func listModules(ctx context.Context, t *task.Task, trees extensionTrees) (bool, error) {
	modules, err := trees.kernelModules(ctx, func(rel string) bool { return trees.ignored[rel] })
	if err != nil {
		return false, err
	}
	for version, names := range modules {
		if !treefs.Exists(filepath.Join(t.Tree, "usr/sbin/depmod")) {
			return false, fmt.Errorf("the extension has the kernel module /%s, but the tree has no depmod (package kmod) to list it, so it would not be found", names[0])
		}
		if err := t.InTree(ctx, "/usr/sbin/depmod", version); err != nil {
			return false, err
		}
	}
	return len(modules) > 0, t.Release()
}

// join adds to what leaves the files from outside of /usr and /opt, and makes
// links lead where a machine has something. It returns those that dangle.
func (t extensionTrees) join(d *difference, o *outside) ([]string, error) {
	leaves := map[string]bool{}
	for _, f := range append(slices.Clone(d.leaving), o.leaving...) {
		leaves[f.path] = true
		if strings.HasPrefix(f.from, "opt/") {
			leaves[f.from] = true
		}
	}
	// Outside /usr and /opt a machine has what the system's tree has; the
	// committed one has that elsewhere.
	there := func(rel string) bool {
		return leaves[rel] || o.carried[rel] || treefs.Exists(filepath.Join(t.system, rel))
	}
	if err := o.carryLinks(there); err != nil {
		return nil, err
	}
	d.leaving = append(d.leaving, o.leaving...)
	slices.SortFunc(d.leaving, func(a, b leaving) int { return strings.Compare(a.path, b.path) })
	return t.direct(d.leaving, there)
}

// writeExtension makes the directory.
func writeExtension(t *task.Task, p TreeParams, trees extensionTrees, s setup) error {
	out := filepath.Join(t.Out, p.Name)
	if err := copyLeaving(t.Tree, out, s.leaving, t.Epoch); err != nil {
		return fmt.Errorf("copy the extension's files: %w", err)
	}
	if err := lint.Extension(out, t, p.Secrets); err != nil {
		return err
	}
	files := s.files()
	for _, f := range files {
		if treefs.Exists(filepath.Join(trees.committed, f.path)) || treefs.Exists(filepath.Join(out, f.path)) {
			return fmt.Errorf("the extension needs the name /%s for its setup on a machine, but that file exists already", f.path)
		}
		if f.target == "" {
			if err := writeNew(t, out, f.path, f.text, f.mode); err != nil {
				return err
			}
			continue
		}
		path := filepath.Join(out, f.path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(f.target, path), treefs.SetTimes(path, t.Epoch, t.Epoch)); err != nil {
			return err
		}
	}
	if err := writeExtensionRelease(t, out, p.Name, trees.committed, len(files) > 0 || s.hasUnits()); err != nil {
		return fmt.Errorf("describe the extension: %w", err)
	}
	fmt.Fprintf(t.Log, "%d files and directories\n", len(s.leaving)+len(files))
	return treefs.SetDirTimes(out, t.Epoch)
}

func (s setup) hasUnits() bool {
	return slices.ContainsFunc(s.leaving, func(l leaving) bool { return !l.directory && strings.HasPrefix(l.path, unitDir) })
}
