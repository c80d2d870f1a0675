package config

import (
	"cmp"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// entry is one thing in a body: an attribute or a block in HCL, a
// key with its value in YAML.
type entry struct {
	name      string
	nameRange hcl.Range
	// attr is the entry taken as an attribute; nil if it cannot be one.
	attr *hcl.Attribute
	// blocks gives the entry taken as blocks; nil if it cannot be any.
	blocks func(hcl.BlockHeaderSchema) (hcl.Blocks, hcl.Diagnostics)
}

// body is an hcl.Body over either syntax. hclsyntax has a body of its own, but
// its words for faults are not ours, and the same fault must read the same in
// both syntaxes.
type body struct {
	entries []entry
	// plurals maps block types to the keys in place of them.
	plurals map[string]string
	missing hcl.Range
	// misused holds the names of the schema that were meant, as far as one can
	// tell, but not written rightly. They should not be called missing too.
	misused map[string]bool
}

func (b *body) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, rest, diags := b.split(schema)
	known := slices.Sorted(maps.Keys(b.schemaNames(schema)))
	for _, e := range rest.entries {
		what := "field"
		if e.attr == nil {
			what = "block"
		}
		b.misuse(Suggest(e.name, known))
		diags = append(diags, Fault(e.nameRange, "Unknown "+what,
			"There is no %s %q here.%s", what, e.name, cmp.Or(elsewhere(e.name, known), outsideFlavour(e.name, e.attr, known), DidYouMean(e.name, known))))
	}
	return content, diags
}

func (b *body) misuse(name string) {
	if b.misused == nil {
		b.misused = map[string]bool{}
	}
	b.misused[name] = true
}

// misused reports that a body tries to write a name but fails to.
func misused(b hcl.Body, name string) bool {
	ours, ok := b.(*body)
	return ok && ours.misused[name]
}

func (b *body) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, rest, diags := b.split(schema)
	return content, rest, diags
}

func (b *body) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	attrs := hcl.Attributes{}
	for _, e := range b.entries {
		if e.attr == nil {
			diags = append(diags, Fault(e.nameRange, "Unknown block",
				"There is no block %q here, only names with values: write %s = ...", e.name, e.name))
			continue
		}
		attrs[e.name] = e.attr
	}
	return attrs, diags
}

func (b *body) MissingItemRange() hcl.Range { return b.missing }

// schemaNames maps the names that a schema knows, as this syntax spells them,
// to the block header, or to nil for an attribute.
func (b *body) schemaNames(schema *hcl.BodySchema) map[string]*hcl.BlockHeaderSchema {
	names := map[string]*hcl.BlockHeaderSchema{}
	for _, a := range schema.Attributes {
		names[a.Name] = nil
	}
	for i := range schema.Blocks {
		name := schema.Blocks[i].Type
		if plural, ok := b.plurals[name]; ok {
			name = plural
		}
		names[name] = &schema.Blocks[i]
	}
	return names
}

// split takes out what the schema knows. No field of our language is required
// by its schema, because of extends; so that is not looked at here.
func (b *body) split(schema *hcl.BodySchema) (*hcl.BodyContent, *body, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	content := &hcl.BodyContent{Attributes: hcl.Attributes{}, MissingItemRange: b.missing}
	rest := &body{plurals: b.plurals, missing: b.missing}
	names := b.schemaNames(schema)
	first := map[string]hcl.Range{}
	for _, e := range b.entries {
		header, known := names[e.name]
		switch {
		case !known:
			rest.entries = append(rest.entries, e)
		case header == nil && e.attr == nil:
			b.misuse(e.name)
			diags = append(diags, Fault(e.nameRange, "Value expected",
				"%q is not a block but a field: write %s = ...", e.name, e.name))
		case header == nil:
			content.Attributes[e.name] = e.attr
		case e.blocks == nil:
			b.misuse(e.name)
			diags = append(diags, Fault(e.nameRange, "Block expected",
				"%q is a block: write it without the equals sign, %s { ... }", e.name, e.name))
		case repeated(first, e, header):
			diags = append(diags, Fault(e.nameRange, "Duplicate block", "There can be one %s block; it is already at %s.", e.name, PlaceOf(first[e.name])))
		default:
			blocks, ds := e.blocks(*header)
			if ds.HasErrors() {
				b.misuse(e.name)
			}
			content.Blocks = append(content.Blocks, blocks...)
			diags = append(diags, ds...)
		}
	}
	return content, rest, diags
}

// repeated reports that a block without a label is not the first of its name.
// Several are fine only for locals, which are merely names with values.
func repeated(first map[string]hcl.Range, e entry, header *hcl.BlockHeaderSchema) bool {
	if _, again := first[e.name]; again && len(header.LabelNames) == 0 && header.Type != "locals" {
		return true
	}
	first[e.name] = e.nameRange
	return false
}
