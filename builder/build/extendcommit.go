package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/added"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/extension"
	"github.com/treewright/treewright/builder/stage/planner"
)

// extendedCommit is a published commit that packages are added to.
type extendedCommit struct {
	flavour *Subject
	repo    ostree.Repository
	// sum is the commit's checksum, tree the name of its tree, ref the flavour's ref.
	sum, tree, ref string
	root           ostree.Tree
	// accounts are the numbers that accounts had up to this commit.
	accounts account.Ledger
	// sources are the sources that packages may come from; nil for all.
	sources []string
	// there are notes on requested packages that the commit has already.
	notes []string
	// pools is the directory that can have its pool, "" if it cannot have one, and pool are the packages of that pool; nil without one.
	pools string
	pool  []distro.Archived
	// bring puts packages of the pool into the directory; nil if they are there.
	bring func(ctx context.Context, packages []PoolFile) error
}

// extendedCommit finds a published commit of a flavour by its checksum, which can be abbreviated. With flavour "" it finds the commit
// of any flavour. Without a checksum it returns the newest commit of the flavour.
func (b *Builder) extendedCommit(ctx context.Context, flavour, sum string, r reporter) (*extendedCommit, error) {
	project, _, err := b.Load()
	if err != nil {
		return nil, err
	}
	var flavours []string
	for _, f := range project.Flavours {
		if flavour == "" || f.Name == flavour {
			flavours = append(flavours, f.Name)
		}
	}
	if len(flavours) == 0 {
		_, err := b.Resolve(ctx, project, flavour)
		return nil, err
	}
	var found *extendedCommit
	for _, name := range flavours {
		c, err := b.publishedCommit(ctx, project, name, sum)
		if err != nil {
			return nil, err
		}
		// Flavours can share a repository. The commit has the name of the flavour that made it.
		if c != nil && (found == nil || c.made(name)) {
			found = c
		}
	}
	switch {
	case found != nil:
		r.note("commit %.12s of %s", found.sum, found.flavour.Name)
		return found, found.read()
	case sum != "":
		return nil, &extend.Failure{Reason: extend.UnknownCommit, Text: fmt.Sprintf("no published repository has a commit %s", sum)}
	}
	if s, err := b.Resolve(ctx, project, flavour); err != nil {
		return nil, err
	} else if _, ok := commit.Names(s.Spec); !ok {
		return nil, diag.Requestf("the flavour %q makes no commits, so there is nothing that packages can be added to", flavour)
	}
	return nil, NotBuilt(flavour)
}

// publishedCommit looks for a commit in the published repository of a flavour; nil if it does not have one.
func (b *Builder) publishedCommit(ctx context.Context, project *config.Project, flavour, sum string) (*extendedCommit, error) {
	s, err := b.Resolve(ctx, project, flavour)
	if err != nil {
		return nil, err
	}
	names, ok := commit.Names(s.Spec)
	if !ok {
		return nil, nil
	}
	m, err := publish.ReadManifest(b.Output(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || m.Repository() == "" {
		return nil, err
	}
	c := &extendedCommit{flavour: s, ref: names.Ref}
	c.repo, err = ostree.Open(b.Artifact(s, m.Repository()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if c.sum = m.Commit; sum == "" {
		return c, nil
	}
	c.sum, err = c.repo.Abbreviated(sum)
	var several *ostree.AmbiguousError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, &several):
		return nil, diag.Requestf("%v", several)
	}
	return c, err
}

// made reports whether the commit was made by a flavour.
func (c *extendedCommit) made(flavour string) bool {
	object, err := c.repo.Commit(c.sum)
	return err == nil && object.Metadata[commit.FlavourKey] == flavour
}

// read reads the commit.
func (c *extendedCommit) read() error {
	object, err := c.repo.Commit(c.sum)
	if err != nil {
		return fmt.Errorf("read commit %s: %w", c.sum, err)
	}
	c.tree, c.root = object.Tree, ostree.TreeOf(c.repo, object)
	c.accounts, err = c.repo.Accounts(c.sum)
	return err
}

// packages returns the packages of the commit, from the commit's own list.
func (c *extendedCommit) packages(db distro.Database) ([]distro.Archived, error) {
	const largest = 64 << 20
	text, err := c.root.ReadFile(db.CommittedDir()+"/"+db.StateFile(), largest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &extend.Failure{Reason: extend.Unfit, Text: fmt.Sprintf("commit %.12s has no list of its packages (/%s/%s), so nothing can be added to it", c.sum, db.CommittedDir(), db.StateFile())}
	}
	if err != nil {
		return nil, fmt.Errorf("read the packages of commit %s: %w", c.sum, err)
	}
	if unfinished := db.ReadState(string(text)).Unfinished; len(unfinished) > 0 {
		return nil, &extend.Failure{Reason: extend.Unfit, Text: fmt.Sprintf("commit %.12s has packages that are not completely installed, so nothing can be added to it: %s", c.sum, unfinished[0])}
	}
	return db.Archived(string(text))
}

// request is the request for packages of the commit.
func (c *extendedCommit) request(packages []string) extend.Request {
	return extend.Request{Commit: c.sum, Packages: packages}.Sorted()
}

// above is the subject of an image of packages above the commit.
func (c *extendedCommit) above(request extend.Request) *Subject {
	var wants []compose.Want
	for _, name := range request.Packages {
		wants = append(wants, compose.Want{Want: distro.Want{Name: name}, Range: c.flavour.Spec.Flavour.Range})
	}
	return &Subject{
		Name: c.flavour.Name, Project: c.flavour.Project, Spec: c.flavour.Spec.Above(extend.Extension, wants), Names: publish.OwnDirectory{}, Served: true,
		Method: planner.Method{Needs: extension.Needs, Installed: added.PlanSecrets},
		Output: func(root string) publish.Output {
			return publish.PrivateOutput(root, extend.Dir, fmt.Sprintf("%.12s-%s", request.Commit, request.ID()))
		},
	}
}
