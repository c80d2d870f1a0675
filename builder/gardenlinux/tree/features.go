package tree

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright/builder/config"
)

// FeatureTree is a directory of features as the Garden Linux builder reads it.
type FeatureTree struct {
	// Features are in the order in which the directory itself has them; of each
	// the name, the type, the description and what it includes and excludes is
	// known. The type is as written and can be any text, "" if there is none:
	// only who selects a feature may complain.
	Features []*config.Feature
	// Files holds the files that were read, for messages.
	Files map[string]*hcl.File
}

// LoadFeatures reads the features in the root of fsys, which messages call
// shown. What it understands is what the Garden Linux builder (parse_features,
// which reads with PyYAML) makes of it, and it fails where that does, whether the
// faulty file is needed or not: a directory NAME/info.yaml is a feature unless NAME
// begins with a dot, unknown keys mean nothing, an empty "features:" fails. It also
// fails where Python happens to make something of a wrong type: of "include: ab"
// the features a and b. That mentioned features exist and lead round in no circle
// is for compose to say.
//
// With an error among the diagnostics the tree is incomplete.
func LoadFeatures(fsys fs.FS, shown string) (*FeatureTree, hcl.Diagnostics) {
	t := &FeatureTree{Files: map[string]*hcl.File{}}
	entries, err := unsortedDir(fsys)
	if err != nil {
		return t, hcl.Diagnostics{config.Fault(config.FileStart(shown), "Cannot read directory", "%s.", err)}
	}
	var diags hcl.Diagnostics
	parts := 0
	for _, e := range entries {
		name := e.Name()
		info := path.Join(name, "info.yaml")
		if strings.HasPrefix(name, ".") || !isDirectory(fsys, e) {
			continue
		}
		// A link that leads nowhere is there and cannot be read.
		if _, err := fs.Lstat(fsys, info); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		f := &config.Feature{Name: name, Dir: path.Join(shown, name), Range: config.FileStart(path.Join(shown, info))}
		if len(t.Features) >= config.MaxFeatures {
			diags = append(diags, config.Fault(f.Range, "Tree too large", "A tree may have %d features, and those from here on were not read.", config.MaxFeatures))
			break
		}
		t.Features = append(t.Features, f)
		src, err := readRegular(fsys, info)
		if err != nil {
			diags = append(diags, config.Fault(f.Range, "Cannot read file", "%s.", err))
			continue
		}
		if large := config.TooLong(f.Range.Filename, src); large != nil {
			diags = append(diags, large)
			continue
		}
		src = bytes.TrimPrefix(src, byteOrderMark)
		t.Files[f.Range.Filename] = &hcl.File{Bytes: src}
		values, ds := readInfo(f, src)
		diags = append(diags, ds...)
		if parts += values + config.PartsOfFile; parts > config.MaxParts || len(diags) > config.MaxFaults {
			diags = append(diags, config.Fault(f.Range, "Tree too large", "With this file, the info.yaml files hold more than %d values together, or more than %d faults. The rest was not read.", config.MaxParts, config.MaxFaults))
			break
		}
	}
	return t, config.Tidy(diags)
}

// unsortedDir lists the root directory in the order of the file system, which
// Python's glob keeps and fs.ReadDir does not.
func unsortedDir(fsys fs.FS) ([]fs.DirEntry, error) {
	dir, err := fsys.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if d, ok := dir.(fs.ReadDirFile); ok {
		return d.ReadDir(-1)
	}
	return nil, &fs.PathError{Op: "readdir", Path: ".", Err: errors.New("not a directory")}
}

// isDirectory follows symbolic links: trees put together from several ones have
// them.
func isDirectory(fsys fs.FS, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(fsys, e.Name())
	return err == nil && info.IsDir()
}

// readRegular reads a file. Nothing else is opened: a pipe would never end.
func readRegular(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if kind := config.OddKind(info.Mode()); kind != "" || info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("it is %s, not a regular file", cmp.Or(kind, "a directory"))}
	}
	return fs.ReadFile(fsys, name)
}

// readInfo also returns how many values there are.
func readInfo(f *config.Feature, src []byte) (int, hcl.Diagnostics) {
	p, root := readPy(f.Range.Filename, src)
	switch {
	case root == nil && p.diags.HasErrors():
	case root == nil || pyTag(root) == "!!null":
		p.diags = append(p.diags, config.Fault(f.Range, "Empty file", "A feature's info.yaml must have a mapping with at least a type; this one is empty."))
	case root.Kind != yaml.MappingNode:
		p.fault(root, "Wrong type", "A feature's info.yaml must be a mapping of keys to values, not %s.", config.KindOf(root))
	default:
		p.info(f, root)
	}
	return p.values, p.diags
}

func (p *pyReader) info(f *config.Feature, root *yaml.Node) {
	if d := p.field(root, "description"); d != nil && pyIsString(d) {
		f.Description = strings.Join(strings.Fields(d.Value), " ")
	}
	if t := p.field(root, "type"); t != nil {
		switch {
		case pyIsString(t):
			f.Type = config.FeatureType(t.Value)
		case t.Kind == yaml.ScalarNode:
			f.Type = config.FeatureType(strings.TrimSpace(pyTag(t) + " " + t.Value))
		default:
			f.Type = config.FeatureType(config.KindOf(t))
		}
	}
	features := p.field(root, "features")
	if features == nil {
		return
	}
	if features.Kind != yaml.MappingNode {
		p.fault(features, "Wrong type", `"features" takes a mapping with "include" and "exclude", not %s. Leave it out if it would be empty.`, pyKind(features))
		return
	}
	// Edges are told apart by place further on, so that each one must be
	// after the last; aliases and repeated keys would break that.
	last := hcl.Pos{}
	for _, pair := range p.flatten(features) {
		if pair.key.Value != "include" && pair.key.Value != "exclude" {
			continue
		}
		refs := p.relations(pair.key.Value, pair.value)
		for i := range refs {
			if at := &refs[i].Range.Start; at.Line < last.Line || at.Line == last.Line && at.Column <= last.Column {
				at.Line, at.Column = last.Line, last.Column+1
			}
			last = refs[i].Range.Start
		}
		if pair.key.Value == "include" {
			f.Include = refs
		} else {
			f.Exclude = refs
		}
	}
}

// relations returns the features that a list mentions.
func (p *pyReader) relations(what string, n *yaml.Node) []config.FeatureRef {
	if n.Kind != yaml.SequenceNode {
		p.fault(n, "Wrong type", "%q takes a list of features, and this is %s. Omit it if the list is empty.", what, pyKind(n))
		return nil
	}
	var refs []config.FeatureRef
	for _, item := range n.Content {
		name := config.Unaliased(item)
		if !pyIsString(name) {
			hint := ""
			if name.Kind == yaml.ScalarNode && name.Value != "" && name.Style == 0 {
				hint = " If it is a name, put it in quotes: \"" + name.Value + "\"."
			}
			p.fault(item, "Wrong type", "A feature is given by its name, a string, and this is %s.%s", pyKind(name), hint)
			continue
		}
		refs = append(refs, config.FeatureRef{Name: name.Value, Range: p.RangeOf(item)})
	}
	return refs
}

// pyKind names what Python takes a node to be, for messages.
func pyKind(n *yaml.Node) string {
	switch tag := pyTag(n); {
	case n.Kind != yaml.ScalarNode:
		return config.KindOf(n)
	case tag == "!!null":
		return "empty"
	case tag == "!!int", tag == "!!float":
		return "a number"
	case tag == "!!bool":
		return "true or false"
	case tag == "!!timestamp":
		return "a date"
	}
	return "a string"
}
