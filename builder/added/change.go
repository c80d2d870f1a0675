package added

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/extend"
)

// Changed describes the result of a change of the packages.
type Changed struct {
	// Wanted are the packages that are asked for now.
	Wanted []string
	// Document describes the image of the booted commit, nil after the last package was removed.
	Document *extend.Document
	// Problems are the units that did not start or stop, a line for each.
	Problems []string
}

// Add adds packages. The images for the booted deployment and the next one are fetched first, from a bundle if dir is not "".
// If one of them is not available, nothing changes.
func (m *Machine) Add(ctx context.Context, names []string, dir string) (*Changed, error) {
	for _, name := range names {
		if err := extend.CheckName(name); err != nil {
			return nil, diag.Requestf("%v", err)
		}
	}
	return m.change(ctx, dir, func(old []string) ([]string, error) {
		return extend.Request{Packages: slices.Concat(old, names)}.Sorted().Packages, nil
	})
}

// Remove removes packages that were added by their names. A package that was added as a dependency is removed with the package that needs it.
func (m *Machine) Remove(ctx context.Context, names []string, dir string) (*Changed, error) {
	return m.change(ctx, dir, func(old []string) ([]string, error) {
		left := slices.Clone(old)
		for _, name := range names {
			i := slices.Index(left, name)
			if i < 0 && !slices.Contains(old, name) {
				return nil, m.notAdded(ctx, name, old)
			}
			if i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
		return left, nil
	})
}

// notAdded is the error of a package that was not asked for.
func (m *Machine) notAdded(ctx context.Context, name string, wanted []string) error {
	if len(wanted) == 0 {
		return diag.Requestf("%s was not added: no package was", name)
	}
	all, err := m.deployments(ctx)
	if err != nil {
		return err
	}
	if d, err := bootedOf(all); err == nil {
		if i, err := m.image(d.Commit); err == nil && slices.ContainsFunc(i.document.Added, packageNamed(name)) {
			return diag.Requestf("%s was not added by its name: it is a dependency of an added package (%s)", name, strings.Join(wanted, ", "))
		}
	}
	return diag.Requestf("%s was not added; these were: %s", name, strings.Join(wanted, ", "))
}

// change changes the list of packages, and the images of the deployments that follow the list.
func (m *Machine) change(ctx context.Context, dir string, edit func(old []string) ([]string, error)) (*Changed, error) {
	release, err := m.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	old, err := m.Wanted()
	if err != nil {
		return nil, err
	}
	names, err := edit(old)
	if err != nil {
		return nil, err
	}
	all, err := m.deployments(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := bootedOf(all); err != nil {
		return nil, err
	}
	if err := m.sweep(all); err != nil {
		return nil, err
	}
	before, err := m.units()
	if err != nil {
		return nil, err
	}
	c := &Changed{Wanted: names}
	if len(names) == 0 {
		err = m.clear(ctx, all)
	} else {
		c.Document, err = m.apply(ctx, all, names, dir)
	}
	if err != nil {
		return nil, err
	}
	if c.Problems, err = m.settle(ctx, before); err != nil {
		return nil, err
	}
	return c, m.hint(all)
}

// apply gets the images of packages for all deployments that follow the list, merges the image of the booted deployment, and writes the list.
func (m *Machine) apply(ctx context.Context, all []Deployment, names []string, dir string) (*extend.Document, error) {
	var drafts []*draft
	discard := func() {
		for _, d := range drafts {
			d.discard()
		}
	}
	for _, d := range following(all) {
		next, err := m.draftFor(ctx, d, names, dir)
		if err != nil {
			discard()
			return nil, fmt.Errorf("%s for %s: %w; nothing is changed", packagesOf(names), d.Name(), err)
		}
		if next != nil {
			drafts = append(drafts, next)
		}
	}
	var undo, finish []func() error
	back := func(err error) error {
		for _, f := range undo {
			err = errors.Join(err, f())
		}
		return errors.Join(err, m.again(ctx))
	}
	for i, d := range drafts {
		u, f, err := m.place(d)
		if err != nil {
			drafts = drafts[i:]
			discard()
			return nil, back(err)
		}
		undo, finish = append(undo, u), append(finish, f)
	}
	booted, err := bootedOf(all)
	if err != nil {
		return nil, err
	}
	if m.Renew && len(drafts) == 0 && m.linked() == booted.Commit && m.merged() {
		return m.applied(ctx, all) // all is new
	}
	if err := m.mergeInto(ctx, booted.Commit); err != nil {
		return nil, back(err)
	}
	if err := m.setWanted(names); err != nil {
		return nil, back(err)
	}
	for _, f := range finish {
		if err := f(); err != nil {
			return nil, err
		}
	}
	return m.applied(ctx, all)
}

// applied removes the problems of earlier attempts, and returns the document of the booted image.
func (m *Machine) applied(ctx context.Context, all []Deployment) (*extend.Document, error) {
	var document *extend.Document
	for _, d := range following(all) {
		if err := errors.Join(m.note(d.Commit, nil), m.release(ctx, d)); err != nil {
			return nil, err
		}
		if d.Booted {
			i, err := m.image(d.Commit)
			if err != nil {
				return nil, err
			}
			document = i.document
		}
	}
	return document, nil
}

// clear removes all packages at once. It does not need a server.
func (m *Machine) clear(ctx context.Context, all []Deployment) error {
	if err := m.mergeInto(ctx, ""); err != nil {
		return errors.Join(err, m.again(ctx))
	}
	for _, d := range following(all) {
		if err := errors.Join(m.drop(d.Commit), m.note(d.Commit, nil), m.release(ctx, d)); err != nil {
			return err
		}
	}
	return errors.Join(m.setWanted(nil), m.settled())
}
