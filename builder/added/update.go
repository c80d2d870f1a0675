package added

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
)

// Updated describes newer versions of the added packages.
type Updated struct {
	Changed
	// Versions are the packages of the booted commit's image that are new, gone, or have another version, a line for each.
	Versions []string
}

// errNone is the error of a machine without added packages.
var errNone = errors.New("no packages are added")

// Update gets images with the newest versions of the packages that were added, for the same commits, from a bundle if dir is not "". Services of
// the packages are started again if a version has changed. If an image is not available, nothing changes. Without added packages, the document
// of the result is nil.
func (m *Machine) Update(ctx context.Context, dir string) (*Updated, error) {
	at := *m
	at.Renew = true
	var before []distro.Package
	changed, err := at.change(ctx, dir, func(old []string) ([]string, error) {
		if len(old) == 0 {
			return nil, errNone
		}
		d, err := at.bootedDocument(ctx)
		if d != nil {
			before = d.Added
		}
		return old, err
	})
	if errors.Is(err, errNone) {
		return &Updated{}, nil
	}
	if err != nil {
		return nil, err
	}
	u := &Updated{*changed, differences(before, changed.Document.Added)}
	if len(u.Versions) == 0 {
		return u, nil
	}
	problems, err := m.restart(context.WithoutCancel(ctx)) // the next update would not do it
	u.Problems = append(u.Problems, problems...)
	return u, err
}

// bootedDocument describes the image of the booted commit; nil without an image that can be read.
func (m *Machine) bootedDocument(ctx context.Context) (*extend.Document, error) {
	all, err := m.deployments(ctx)
	if err != nil {
		return nil, err
	}
	d, err := bootedOf(all)
	if err != nil {
		return nil, err
	}
	if i, err := m.image(d.Commit); err == nil {
		return i.document, nil
	}
	return nil, nil
}

// differences are lines on the packages of two images that differ.
func differences(before, after []distro.Package) (lines []string) {
	old := map[string]string{}
	for _, p := range before {
		old[p.Name] = p.Version
	}
	for _, p := range after {
		switch version, ok := old[p.Name]; {
		case !ok:
			lines = append(lines, fmt.Sprintf("%s %s, new", p.Name, p.Version))
		case version != p.Version:
			lines = append(lines, fmt.Sprintf("%s %s, before %s", p.Name, p.Version, version))
		}
		delete(old, p.Name)
	}
	for _, p := range before {
		if version, ok := old[p.Name]; ok {
			lines = append(lines, fmt.Sprintf("%s %s, removed", p.Name, version))
		}
	}
	return lines
}

// restart starts the running services of the packages again, which run the programs of the previous image. It returns failures, as lines.
func (m *Machine) restart(ctx context.Context) (problems []string, err error) {
	now, err := m.units()
	if err != nil {
		return nil, err
	}
	for _, setup := range now.setup {
		wants, err := m.output(ctx, "systemctl", "show", "--property=Wants", "--value", setup)
		if err != nil {
			return problems, err
		}
		for _, name := range strings.Fields(string(wants)) {
			// systemd refuses to start a socket again whose service runs.
			if !strings.HasSuffix(name, ".service") || m.masked(ctx, name) {
				continue
			}
			if _, err := m.output(ctx, "systemctl", "try-restart", name); err != nil {
				problems = append(problems, fmt.Sprintf("%s did not start again: see journalctl --unit %s", name, name))
			}
		}
	}
	return problems, nil
}
