package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// parseHCL reads a file in HCL. The body is nil if there are faults of syntax:
// what a parser makes of the rest is a guess, and faults found in it would be
// noise. Its expressions pay from the budget. It also returns how many tokens
// there are.
func parseHCL(name string, src []byte, b *budget) (*hcl.File, *body, int, hcl.Diagnostics) {
	// Faults of the tokens are reported again by the parser.
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	count := len(tokens)
	if bad := tooMuch(tokens); bad != nil {
		return &hcl.File{Bytes: src}, nil, count, hcl.Diagnostics{bad}
	}
	file, found := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	explainLiteral(found, false)
	found = explainHCL(name, src, found[:min(len(found), MaxFaults)])
	if file == nil {
		return &hcl.File{Bytes: src}, nil, count, found
	}
	root := file.Body.(*hclsyntax.Body)
	b.guardBody(root)
	var diags hcl.Diagnostics
	broken := false
	for _, d := range found {
		// The parser drops an attribute's second mention and is otherwise sure
		// of the file.
		if d.Summary == "Attribute redefined" && d.Subject != nil {
			if first := findAttribute(root, *d.Subject, src); first != nil {
				d = duplicateField(first.Name, first.NameRange, *d.Subject)
				diags = append(diags, d)
				continue
			}
		}
		broken = broken || d.Severity == hcl.DiagError
		diags = append(diags, d)
	}
	if broken {
		return file, nil, count, diags
	}
	return file, newHCLBody(root, root.MissingItemRange()), count, diags
}

// findAttribute finds the attribute of the innermost body around a range that
// has the name the range spells.
func findAttribute(b *hclsyntax.Body, at hcl.Range, src []byte) *hclsyntax.Attribute {
	for _, block := range b.Blocks {
		if block.Body.SrcRange.ContainsPos(at.Start) {
			return findAttribute(block.Body, at, src)
		}
	}
	return b.Attributes[string(at.SliceBytes(src))]
}

func newHCLBody(src *hclsyntax.Body, missing hcl.Range) *body {
	b := &body{missing: missing}
	for _, a := range src.Attributes {
		b.entries = append(b.entries, entry{name: a.Name, nameRange: a.NameRange, attr: a.AsHCLAttribute()})
	}
	for _, block := range src.Blocks {
		b.entries = append(b.entries, entry{
			name: block.Type, nameRange: block.TypeRange,
			blocks: func(header hcl.BlockHeaderSchema) (hcl.Blocks, hcl.Diagnostics) { return hclBlock(block, header) },
		})
	}
	slices.SortFunc(b.entries, func(x, y entry) int { return cmp.Compare(x.nameRange.Start.Byte, y.nameRange.Start.Byte) })
	return b
}

func hclBlock(block *hclsyntax.Block, header hcl.BlockHeaderSchema) (hcl.Blocks, hcl.Diagnostics) {
	want := block.Type
	for _, label := range header.LabelNames {
		want += fmt.Sprintf(" %q", label)
	}
	if len(block.Labels) != len(header.LabelNames) {
		return nil, hcl.Diagnostics{Fault(block.DefRange(), "Wrong labels",
			"A %s block takes %d label(s), not %d: write %s { ... }", block.Type, len(header.LabelNames), len(block.Labels), want)}
	}
	out := block.AsHCLBlock()
	out.Body = newHCLBody(block.Body, block.DefRange())
	return hcl.Blocks{out}, nil
}
