package tree

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright/builder/config"
)

// PublishedFile is where Garden Linux lists what it builds, in the root of its
// tree.
const PublishedFile = "flavors.yaml"

// PublishedFlavour is one entry of [PublishedFile].
type PublishedFlavour struct {
	// Name is what Garden Linux calls it: target, features and architecture, a
	// cname that compose.ParseCName understands.
	Name string
	// Category is the target's, such as "public-cloud", or "".
	Category string
	Arch     string
	// Uses describes what is done with it: those of PublishedUses that are true.
	Uses []string
	// Range is the entry in the file.
	Range hcl.Range
}

// PublishedUses are the switches of an entry.
var PublishedUses = []string{"build", "test", "test-platform", "publish"}

// LoadPublished reads the text of a [PublishedFile], in which an entry without
// an architecture is for amd64. Entries are in the order in which they are
// written, as far as they are sound; files is for messages.
func LoadPublished(src []byte) (flavours []PublishedFlavour, files map[string]*hcl.File, diags hcl.Diagnostics) {
	src = bytes.TrimPrefix(src, byteOrderMark)
	files = map[string]*hcl.File{PublishedFile: {Bytes: src}}
	if large := config.TooLong(PublishedFile, src); large != nil {
		return nil, files, hcl.Diagnostics{large}
	}
	p, root := readPy(PublishedFile, src)
	if root == nil {
		if !p.diags.HasErrors() {
			p.diags = append(p.diags, config.Fault(p.Whole(), "Empty file", "The file must list flavours below the key %q.", "targets"))
		}
		return nil, files, p.diags
	}
	arch := "amd64"
	for _, target := range p.entries(root, "targets") {
		name := p.text(target, "name", nil)
		category := p.text(target, "category", new(string))
		for _, entry := range p.entries(target, "flavors") {
			f := PublishedFlavour{Category: category, Arch: p.text(entry, "arch", &arch), Range: p.RangeOf(entry)}
			parts := []string{name}
			for _, n := range p.list(entry, "features") {
				if !pyIsString(n) {
					p.fault(n, "Wrong type", "A feature is given by its name, a string, and this is %s.", pyKind(n))
				} else {
					parts = append(parts, n.Value)
				}
			}
			if len(flavours) >= config.MaxFlavours {
				p.fault(entry, "Tree too large", "A tree may publish %d flavours; those from here on were not read.", config.MaxFlavours)
				return flavours, files, config.Tidy(p.diags)
			}
			f.Name = strings.ReplaceAll(strings.Join(append(parts, f.Arch), "-"), "-_", "_")
			for _, use := range PublishedUses {
				if n := p.field(entry, use); n != nil && pyTag(n) == "!!bool" && isPyTrue(n.Value) {
					f.Uses = append(f.Uses, use)
				}
			}
			flavours = append(flavours, f)
		}
	}
	return flavours, files, config.Tidy(p.diags)
}

// isPyTrue reports that a word of YAML 1.1 for true or false is one for true.
func isPyTrue(word string) bool {
	switch strings.ToLower(word) {
	case "yes", "true", "on":
		return true
	}
	return false
}

// list returns the items of a list in a mapping; a missing one is empty.
func (p *pyReader) list(n *yaml.Node, name string) []*yaml.Node {
	value := p.field(n, name)
	if value == nil {
		return nil
	}
	if value.Kind != yaml.SequenceNode {
		p.fault(value, "Wrong type", "%q takes a list, not %s.", name, config.KindOf(value))
		return nil
	}
	items := make([]*yaml.Node, len(value.Content))
	for i, c := range value.Content {
		items[i] = config.Unaliased(c)
	}
	return items
}

// entries returns the mappings in a list that must be there.
func (p *pyReader) entries(n *yaml.Node, name string) []*yaml.Node {
	if n.Kind != yaml.MappingNode || p.field(n, name) == nil {
		p.fault(n, "Missing list", "There must be a list of mappings below the key %q here.", name)
		return nil
	}
	var kept []*yaml.Node
	for _, item := range p.list(n, name) {
		if item.Kind == yaml.MappingNode {
			kept = append(kept, item)
		} else {
			p.fault(item, "Wrong type", "An entry of %q is a mapping of keys to values, not %s.", name, config.KindOf(item))
		}
	}
	return kept
}

// text returns a string in a mapping, or the fallback if it is not there; with
// a nil fallback it must be.
func (p *pyReader) text(n *yaml.Node, name string, fallback *string) string {
	value := p.field(n, name)
	switch {
	case value != nil && pyIsString(value):
		return value.Value
	case value != nil:
		p.fault(value, "Wrong type", "%q takes a string, not %s.", name, pyKind(value))
	case fallback != nil:
		return *fallback
	default:
		p.fault(n, "Missing field", "%q is missing here.", name)
	}
	return ""
}
