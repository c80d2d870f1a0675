package build

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/scaffold"
)

// Load reads the configuration tree. Faults of it are a *[diag.Faults], all
// together; warnings come beside the project.
func (b *Builder) Load() (*config.Project, hcl.Diagnostics, error) {
	if err := b.isTree(); err != nil {
		return nil, nil, err
	}
	var project *config.Project
	var diags hcl.Diagnostics
	if err := b.Bounded(func() error {
		project, diags = b.rules.Load()
		return nil
	}); err != nil {
		return nil, nil, err
	}
	if diags.HasErrors() {
		return nil, nil, &diag.Faults{Files: filesOf(project), List: diags}
	}
	return project, diags, nil
}

// UsedFeature returns the feature of a name that comes from another tree, as far as the
// tree can be read; nil if there is none.
func (b *Builder) UsedFeature(name string) *config.Feature {
	var f *config.Feature
	err := b.Bounded(func() error {
		if project, _ := b.rules.Load(); project != nil {
			f = project.Features[name]
		}
		return nil
	})
	if err != nil || f == nil || f.Root == nil {
		return nil
	}
	return f
}

// FlavourNames returns the flavours' names as far as the tree can be read.
func (b *Builder) FlavourNames() []string {
	var names []string
	if project := b.readable(); project != nil {
		for _, f := range project.Flavours {
			names = append(names, f.Name)
		}
	}
	return names
}

// FeatureNames are the names of all features, sorted, as far as the tree can be read.
func (b *Builder) FeatureNames() []string {
	var names []string
	if project := b.readable(); project != nil {
		for _, f := range project.SortedFeatures() {
			names = append(names, f.Name)
		}
	}
	return names
}

// CopyNames returns the names by which `new` writes a copy of a feature, or of a flavour.
func (b *Builder) CopyNames() (features, flavours []string) {
	if project := b.readable(); project != nil {
		return scaffold.Copies(project)
	}
	return nil, nil
}

// readable is the project as far as the tree can be read, nil if it cannot.
func (b *Builder) readable() *config.Project {
	var project *config.Project
	known := b.rules
	if b.forFlavours() {
		known = b.flavours(b.uses(true)) // nobody waits for git to name them
	}
	err := b.Bounded(func() error {
		project, _ = known.Load()
		return nil
	})
	if err != nil {
		return nil // Load says what is wrong
	}
	return project
}

// IsTree reports whether a directory seems to be a configuration tree.
func IsTree(dir string) bool {
	return slices.ContainsFunc(append([]string{config.FeaturesDir}, config.TreeFiles...), func(name string) bool {
		return exists(filepath.Join(dir, name))
	})
}

// isTree explains why a directory is not a configuration tree.
func (b *Builder) isTree() error {
	if IsTree(b.options.Tree) {
		return b.noVariables()
	}
	return diag.Suggest(diag.Requestf("%s is not a configuration tree: it has neither a directory %s/ nor a file %s (choose one with -C)", b.options.Tree, config.FeaturesDir, config.TreeFiles[0]), "init DIRECTORY", "writes one")
}

// noVariables is the fault of a value for a variable where no flavour file can declare
// one.
func (b *Builder) noVariables() error {
	if b.forFlavours() {
		return nil // its rules know
	}
	for _, name := range slices.Sorted(maps.Keys(b.options.Vars)) {
		return diag.Requestf("a value is given to the variable %q, but the tree has no flavour files that could declare it", name)
	}
	return nil
}

// Check finds all that is to be said of the tree. What was found is returned with
// an error as well.
func (b *Builder) Check(ctx context.Context) (rules.Checked, error) {
	if err := b.isTree(); err != nil {
		return rules.Checked{}, err
	}
	checked, err := b.rules.Check(ctx, b.means())
	if checked.Project != nil && b.forFlavours() {
		stray, bad := b.checkLocks(checked.Project)
		checked.Found = append(checked.Found, stray...)
		if err == nil && bad != nil {
			err, checked.Summary = bad, ""
		}
	}
	if err == nil && checked.Project != nil {
		if err = b.UnknownSecretsOf(checked.Project); err == nil {
			err = b.checkServers(checked.Project)
		}
		if err != nil {
			checked.Summary = ""
		}
	}
	return checked, err
}

// Lists are what can be built from the tree, that of its own rules last.
func (b *Builder) Lists(p *config.Project) ([]*rules.Listed, error) {
	var lists []*rules.Listed
	for _, r := range slices.Backward(b.allRules()) {
		l, err := r.Listed(p, b.means())
		if err != nil {
			return nil, err
		}
		if l != nil {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

func (b *Builder) means() rules.Means { return rules.Means{Bounded: b.Bounded, Index: b.Index} }

// inTree returns where a file is that the configuration names.
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
