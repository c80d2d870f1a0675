package build

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/treefs"
)

// Load reads the configuration tree. Faults of it are a *[diag.Faults], all
// together; warnings come beside the project.
func (b *Builder) Load() (*config.Project, hcl.Diagnostics, error) {
	if !exists(filepath.Join(b.options.Tree, config.FeaturesDir)) {
		return nil, nil, diag.Requestf("%s is no configuration tree: it has no folder %s/ (choose one with -C)", b.options.Tree, config.FeaturesDir)
	}
	load := func() (*config.Project, hcl.Diagnostics) {
		return config.Load(b.tree, config.Options{
			Vars: b.options.Vars, Env: b.options.Env,
			Keyring: func(path string) error { return treefs.Check(b.inTree(path), treefs.MostKeyring) },
		})
	}
	if b.Foreign() {
		load = func() (*config.Project, hcl.Diagnostics) { return config.LoadForeign(b.tree) }
	}
	var project *config.Project
	var diags hcl.Diagnostics
	if err := b.Bounded(func() error {
		project, diags = load()
		return nil
	}); err != nil {
		return nil, nil, err
	}
	if diags.HasErrors() {
		return nil, nil, &diag.Faults{Files: filesOf(project), List: diags}
	}
	return project, diags, nil
}

// Foreign says that the tree has no flavours of ours, so that only the rules of
// the Garden Linux builder apply to it.
func (b *Builder) Foreign() bool {
	return !exists(filepath.Join(b.options.Tree, config.FlavoursDir))
}

// inTree returns where a file lies that the configuration names.
func (b *Builder) inTree(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(b.options.Tree, path)
}

// filesOf are a project's files, nil if there is none.
func filesOf(p *config.Project) map[string]*hcl.File {
	if p == nil {
		return nil
	}
	return p.Files
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
