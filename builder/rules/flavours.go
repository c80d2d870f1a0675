package rules

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/treefs"
)

// Flavours are the rules of trees with flavours.
type Flavours struct {
	Tree    fs.FS
	Options config.Options
	// Brief leaves out the warnings of subjects, which take longer than all else about them.
	Brief bool
}

// Load implements [Rules].
func (r Flavours) Load() (*config.Project, hcl.Diagnostics) {
	return config.Load(ahead(r.Tree), r.Options)
}

// ahead reads what [config.Load] looks at several times, if the tree can do that.
func ahead(tree fs.FS) fs.FS {
	if t, ok := tree.(*treefs.FS); ok {
		return t.Ahead(config.FeaturesDir, config.FlavoursDir)
	}
	return tree
}

// LenientLinks implements [Rules].
func (Flavours) LenientLinks() bool { return false }

// Resolve implements [Rules].
func (r Flavours) Resolve(_ context.Context, p *config.Project, name string) (*Subject, error) {
	f, err := Flavour(p, name)
	if err != nil {
		return nil, nil // perhaps by other rules
	}
	spec, diags := compose.Resolve(p, f)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: p.Files, List: diags}
	}
	images, err := bootable(spec)
	if err != nil {
		return nil, err
	}
	if !r.Brief {
		diags = append(diags, config.Unread(r.Tree, p, spec.AllFeatures())...)
	}
	return &Subject{
		Name: name, Project: p, Spec: spec, Warnings: diags, Method: stage.Flavours(),
		Output: func(root string) publish.Output { return publish.OutputOf(root, name) }, Names: publish.OwnDirectory{}, LockFile: lock.Path(name),
		Images: images, NoImage: noImage(spec, images), Served: true, Tested: true,
	}, nil
}

// bootable are the disk images of a flavour that QEMU can boot.
func bootable(spec *compose.Spec) ([]Image, error) {
	formats, err := image.Asked(spec)
	var images []Image
	for _, f := range formats {
		if f.QEMU != "" {
			images = append(images, Image{f.File(spec.Flavour.Name), f.QEMU})
		}
	}
	return images, err
}

// noImage describes what is wrong if none of these was built.
func noImage(spec *compose.Spec, images []Image) string {
	name, f := spec.Flavour.Name, spec.StageFeature("image")
	switch {
	case f == nil:
		return fmt.Sprintf("flavour %q has no image: it needs a feature with stage: image (ostreeImage)", name)
	case len(images) == 0:
		return fmt.Sprintf("flavour %q has no image that QEMU can boot: add raw to the parameter %s of %s", name, image.FormatsParameter, f.Name)
	}
	return fmt.Sprintf("the last build of flavour %q made no %s; build it again", name, images[0].Name)
}

// Flavour returns the flavour of that name.
func Flavour(p *config.Project, name string) (*config.Flavour, error) {
	names := make([]string, len(p.Flavours))
	for i, f := range p.Flavours {
		if f.Name == name {
			return f, nil
		}
		names[i] = f.Name
	}
	if what := p.Unbuilt[name]; what != "" {
		return nil, diag.Requestf("the flavour %q cannot be built: it %s", name, what)
	}
	if meant := ofFile(p, name); meant != "" {
		return nil, diag.Requestf("there is no flavour %q: flavours go by their names, not by their files; did you mean %s?", name, meant)
	}
	for _, file := range p.Beside {
		if strings.HasPrefix(file, name+".") || len(names) == 0 {
			return nil, diag.Requestf("there is no flavour %q: %s is not read, because it is not in %s/", name, file, config.FlavoursDir)
		}
	}
	if s := config.Suggest(name, names); s != "" {
		return nil, diag.Requestf("there is no flavour %q; did you mean %q?", name, s)
	}
	switch begun := config.Begun(name, names); {
	case len(begun) == 1:
		return nil, diag.Requestf("there is no flavour %q; did you mean %q?", name, begun[0])
	case len(begun) > 1 && len(begun) <= 5:
		return nil, diag.Requestf("there is no flavour %q; did you mean one of %s?", name, strings.Join(begun, ", "))
	}
	return nil, diag.Suggest(diag.Requestf("there is no flavour %q", name), "list", "lists the flavours")
}

// ofFile are the flavours of a file, in words; "" if that file does not exist.
func ofFile(p *config.Project, name string) string {
	var of []string
	for _, f := range p.Flavours {
		if f.Range.Filename == path.Clean(name) || f.Range.Filename == path.Join(config.FlavoursDir, name) {
			of = append(of, strconv.Quote(f.Name))
		}
	}
	switch {
	case len(of) > 5:
		return "one of " + strings.Join(of[:5], ", ") + " and more"
	case len(of) > 1:
		return "one of " + strings.Join(of, ", ")
	}
	return strings.Join(of, "")
}

// Check implements [Rules].
func (r Flavours) Check(_ context.Context, m Means) (c Checked, err error) {
	var faults hcl.Diagnostics
	err = m.Bounded(func() error {
		tree := ahead(r.Tree)
		if c.Project, c.Found = config.Load(tree, r.Options); c.Found.HasErrors() {
			faults, c.Found = c.Found, nil
			return nil
		}
		var noUpgrade compose.NoUpgrade
		found := compose.Check(c.Project, noUpgrade.See)
		if found.HasErrors() {
			faults = found
		} else {
			c.Found = append(append(c.Found, found...), config.Unread(tree, c.Project, c.Project.SortedFeatures())...)
			c.Found = append(c.Found, noUpgrade.Warning()...)
		}
		return nil
	})
	if err != nil {
		return Checked{}, err
	}
	if faults.HasErrors() {
		return c, &diag.Faults{Files: c.Project.Files, List: faults}
	}
	c.Summary = fmt.Sprintf("%s and %s have no faults", diag.Counted(len(c.Project.Flavours), "flavour"), diag.Counted(len(c.Project.Features), "feature"))
	return c, nil
}

// listedFlavour is a flavour as programs are shown it.
type listedFlavour struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Family      string   `json:"family"`
	Suite       string   `json:"suite"`
	Arch        string   `json:"arch"`
	Features    []string `json:"features"`
}

// Listed implements [Rules].
func (Flavours) Listed(p *config.Project, _ Means) (*Listed, error) {
	l := &Listed{Name: FlavourList, Columns: []string{"FLAVOUR", "SUITE", "ARCH", "DESCRIPTION"}}
	for _, f := range p.Flavours {
		d := f.Distribution
		l.Rows = append(l.Rows, []string{f.Name, d.Suite, d.Arch, f.Description})
		e := listedFlavour{Name: f.Name, Description: f.Description, Family: d.Family, Suite: d.Suite, Arch: d.Arch}
		for _, ref := range f.Features {
			e.Features = append(e.Features, ref.Name)
		}
		l.Entries = append(l.Entries, e)
	}
	return l, nil
}

// Clean implements [Rules]. All that is a flavour's is in its output.
func (Flavours) Clean(string, string, func(publish.Output) (func(), error)) (bool, error) {
	return false, nil
}
