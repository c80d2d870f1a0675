package cli

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/treefs"
)

// load reads the configuration tree. Warnings are shown; errors end the verb.
func (c *command) load() (*config.Project, error) {
	vars, err := c.options.variables()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(c.options.dir, config.FeaturesDir)); err != nil {
		return nil, usagef("%s is no configuration tree: it has no folder %s/ (choose one with -C)", c.options.dir, config.FeaturesDir)
	}
	load := func() (*config.Project, hcl.Diagnostics) {
		return config.Load(c.tree(), config.Options{
			Vars: vars, Env: environment(),
			Keyring: func(path string) error { return treefs.Check(c.keyring(path), treefs.MostKeyring) },
		})
	}
	if c.isForeign() {
		load = func() (*config.Project, hcl.Diagnostics) { return config.LoadForeign(c.tree()) }
	}
	var project *config.Project
	var diags hcl.Diagnostics
	if err := c.bounded(func() error {
		project, diags = load()
		return nil
	}); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: project.Files, List: diags}
	}
	if len(diags) > 0 {
		c.diagnostics(project, diags)
	}
	return project, nil
}

// keyring returns where a flavour's keyring lies.
func (c *command) keyring(path string) string {
	if path == "" {
		return debian.DefaultKeyring
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.options.dir, path)
}

// flavour returns the flavour of that name.
func flavour(p *config.Project, name string) (*config.Flavour, error) {
	names := make([]string, len(p.Flavours))
	for i, f := range p.Flavours {
		if f.Name == name {
			return f, nil
		}
		names[i] = f.Name
	}
	if s := config.Suggest(name, names); s != "" {
		return nil, usagef("there is no flavour %q; did you mean %q?", name, s)
	}
	return nil, usagef("there is no flavour %q; `./build list` shows those there are", name)
}

// resolve works a flavour out. Warnings are shown.
func (c *command) resolve(p *config.Project, f *config.Flavour) (*compose.Spec, error) {
	spec, diags := compose.Resolve(p, f)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: p.Files, List: diags}
	}
	if len(diags) > 0 {
		c.diagnostics(p, diags)
	}
	return spec, nil
}
