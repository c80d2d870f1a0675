package cli

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
)

// open gives the command the library that does its work.
func (c *command) open() error {
	o := &c.options
	vars, err := named("--var", "NAME=VALUE", o.vars)
	if err != nil {
		return err
	}
	secrets, err := secretFiles(o.secrets)
	if err != nil {
		return err
	}
	c.builder, err = build.Open(build.Options{
		Tree: o.dir, Cache: o.cache, Output: o.output, Vars: vars, Secrets: secrets, Env: environment(),
		Offline: o.offline, Rewind: o.rewind, Locked: o.locked, Sign: o.sign, NoShortcuts: o.noShortcuts, Jobs: o.jobs, MemoryMiB: o.memory, Budget: c.budget(), Remote: o.remote, Exec: o.exec, AllLayers: o.allLayers,
		Other: o.other, Say: c.say, Backend: c.backend,
	})
	return err
}

// load reads the configuration tree and shows warnings.
func (c *command) load(ctx context.Context) (project *config.Project, err error) {
	var warnings hcl.Diagnostics
	err = event.Timed(ctx, "load", func() (err error) {
		project, warnings, err = c.builder.Load()
		return err
	})
	if err == nil && len(warnings) > 0 {
		c.diagnostics(project, warnings)
	}
	return project, err
}

// loadAll is load for a command that does not name a flavour: each secret that is
// given has to be one of some flavour.
func (c *command) loadAll(ctx context.Context) (*config.Project, error) {
	project, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	return project, c.builder.UnknownSecretsOf(project)
}

// resolve finds out what a name means and shows warnings.
func (c *command) resolve(ctx context.Context, p *config.Project, name string) (s *build.Subject, err error) {
	err = event.Timed(ctx, "resolve "+name, func() (err error) {
		s, err = c.builder.Resolve(ctx, p, name)
		return err
	})
	if err == nil && len(s.Warnings) > 0 {
		c.diagnostics(p, s.Warnings)
	}
	return s, err
}

// subject finds out what a name means in the configuration tree.
func (c *command) subject(ctx context.Context, name string) (*build.Subject, error) {
	project, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.resolve(ctx, project, name)
	if err != nil {
		return nil, err
	}
	return s, c.builder.UnknownSecrets(s)
}

// prepare plans what a name means.
func (c *command) prepare(ctx context.Context, name string, sink event.Sink) (*build.Prepared, error) {
	s, err := c.subject(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.builder.Prepare(ctx, s, sink)
}
