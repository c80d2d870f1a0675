package scaffold

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
)

// Feature writes a feature into a configuration tree, and returns the paths in the
// tree of the files that it has written, also with an error.
func Feature(tree, name string) (wrote []string, err error) {
	if !config.IsFeatureName(name) {
		return nil, diag.Requestf("%q is not a name for a feature: letters, digits, and - _ . within it (a leading _ makes a flag)", name)
	}
	dir := filepath.Join(tree, config.FeaturesDir, name)
	if _, err := os.Lstat(dir); err == nil {
		return nil, diag.Requestf("the feature %q already exists", name)
	}
	kind := "element"
	if strings.HasPrefix(name, "_") {
		kind = "flag"
	}
	if strings.HasPrefix(name, "sysext-") {
		kind = "extension"
	}
	files := []struct {
		name, content string
		mode          os.FileMode
	}{
		{"info.yaml", strings.NewReplacer("NAME", name, "TYPE", kind).Replace(featureInfo), 0o644},
		{"pkg.include", featurePackages, 0o644},
		{"exec.config", strings.ReplaceAll(featureScript, "NAME", name), 0o755},
	}
	if kind == "extension" {
		files = files[:2]
	}
	if _, err := os.Stat(filepath.Join(tree, "schema")); err != nil {
		_, files[0].content, _ = strings.Cut(files[0].content, "\n") // editors would not find the schema
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.content), f.mode); err != nil {
			return wrote, err
		}
		wrote = append(wrote, config.FeaturesDir+"/"+name+"/"+f.name)
	}
	return wrote, nil
}

// CheckFlavourName describes what is wrong with a name for a flavour.
func CheckFlavourName(name string) error {
	if !config.IsFlavourName(name) {
		return diag.Requestf("%q is not a name for a flavour: letters, digits, and - _ . within it", name)
	}
	return nil
}

// Flavour writes a flavour into the configuration tree that p was read from, and
// returns the paths in the tree of the files that it has written. With the name of a
// flavour that is part of the program, they are copies of its file and of those with the
// flavours that it extends.
func Flavour(tree, name string, p *config.Project) (wrote []string, err error) {
	if err := CheckFlavourName(name); err != nil {
		return nil, err
	}
	if hasFlavour(p, name) {
		return nil, diag.Requestf("the flavour %q already exists", name)
	}
	files := shippedFlavours(p, name)
	if len(files) == 0 {
		text := strings.NewReplacer("NAME", name, "SETTINGS", settings(p)).Replace(flavourStart)
		files = []flavourFile{{name + ".hcl", text}}
	}
	dir := filepath.Join(tree, config.FlavoursDir)
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); err == nil {
			return nil, diag.Requestf("the file %s already exists", filepath.Join(dir, f.name))
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	_, err = os.Stat(filepath.Join(tree, "build"))
	for _, f := range files {
		if err != nil {
			f.content = strings.ReplaceAll(f.content, "./build", "treewright") // a tree of somebody's own
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.content), 0o644); err != nil {
			return wrote, err
		}
		wrote = append(wrote, config.FlavoursDir+"/"+f.name)
	}
	return wrote, nil
}
