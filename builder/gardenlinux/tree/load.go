package tree

import (
	"io/fs"
	"path"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// dialect is what the files of a feature mean in a Garden Linux tree. The unused
// ones are Treewright's own inventions.
var dialect = config.Dialect{
	PackageList: config.ParseShellList,
	Unused:      []string{"pkg.build", "exec.build", "exec.accounts", "file.template"},
	Others:      config.Others{Names: partNames, Read: readPart},
}

// Load reads a tree that has features alone, and no flavours, as the Garden Linux
// builder does: [LoadFeatures] says how lenient it is with info.yaml. Files that
// mean something in a feature's directory are taken in too; what is wrong with
// them is in the features' Faults. The diagnostics returned are those that leave
// nothing to be built from the tree.
func Load(fsys fs.FS) (*config.Project, hcl.Diagnostics) {
	sub, err := fs.Sub(fsys, config.FeaturesDir)
	if err != nil {
		return nil, hcl.Diagnostics{config.Fault(config.FileStart(config.FeaturesDir), "Cannot read directory", "%s.", err)}
	}
	tree, diags := LoadFeatures(sub, config.FeaturesDir)
	project := &config.Project{Features: map[string]*config.Feature{}, Files: tree.Files}
	diags = append(diags, config.ReadFeatures(fsys, project, tree.Features, dialect)...)
	return project, config.Tidy(diags)
}

// BesideFlavours are the same files in a tree of flavours, which only builds of a
// cname use: a warning says so.
func BesideFlavours() config.Others {
	return config.Others{Names: partNames, Read: func(fsys fs.FS, f *config.Feature, base, name string) (bool, hcl.Diagnostics) {
		known, diags := readPart(fsys, f, base, name)
		if known && path.Base(name) != requirementsMod {
			diags = append(diags, config.Warning(config.FileStart(name), "File without effect on flavours", "%s describes or makes images in the Garden Linux builder, and is used when a cname is built. For flavours the feature with stage: image does that, and it has a layout of its own.", base))
		}
		return known, diags
	}}
}
