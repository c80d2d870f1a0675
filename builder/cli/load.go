package cli

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro/debian"
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
		return config.Load(os.DirFS(c.options.dir), config.Options{
			Vars: vars, Env: environment(),
			KeyringExists: func(path string) bool { return exists(c.keyring(path)) },
		})
	}
	if c.isForeign() {
		load = func() (*config.Project, hcl.Diagnostics) { return config.LoadForeign(os.DirFS(c.options.dir)) }
	}
	project, diags := load()
	if diags.HasErrors() {
		return nil, &configError{project, diags}
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
		return nil, &configError{p, diags}
	}
	if len(diags) > 0 {
		c.diagnostics(p, diags)
	}
	return spec, nil
}
