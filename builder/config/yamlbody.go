package config

import (
	"bytes"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v3"
)

// body presents a mapping as an hcl.Body. Whether a key is an attribute or a
// block is for the schema to say, so every entry can be either. The mapping has
// passed [YAMLSource.check].
func (s *YAMLSource) body(n *yaml.Node, missing hcl.Range) *body {
	b := &body{missing: missing, plurals: s.plurals}
	s.each(n, func(key, value *yaml.Node) {
		name, keyRange := Unaliased(key).Value, s.RangeOf(key)
		b.entries = append(b.entries, entry{
			name: name, nameRange: keyRange,
			attr: &hcl.Attribute{
				Name: name, NameRange: keyRange,
				Expr:  &yamlExpr{s, value},
				Range: hcl.RangeBetween(keyRange, s.RangeOf(value)),
			},
			blocks: func(header hcl.BlockHeaderSchema) (hcl.Blocks, hcl.Diagnostics) {
				return s.blocks(header, name, keyRange, value)
			},
		})
	})
	return b
}

// each calls f for every key of a mapping that can be used: faulty ones and
// repetitions have been reported by then.
func (s *YAMLSource) each(n *yaml.Node, f func(key, value *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := Unaliased(n.Content[i])
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" || seen[key.Value] {
			continue
		}
		seen[key.Value] = true
		f(n.Content[i], n.Content[i+1])
	}
}

// blocks presents a value as blocks: one, or, if the block has a label, one for
// each key. An empty value means an empty mapping.
func (s *YAMLSource) blocks(header hcl.BlockHeaderSchema, name string, at hcl.Range, value *yaml.Node) (hcl.Blocks, hcl.Diagnostics) {
	n := Unaliased(value)
	if n.Kind != yaml.MappingNode && !isNull(n) {
		return nil, hcl.Diagnostics{Fault(s.RangeOf(value), "Block expected", "%q takes a mapping of keys to values, not %s.%s", name, KindOf(n), asKeys(name, n))}
	}
	if len(header.LabelNames) == 0 {
		return hcl.Blocks{{Type: header.Type, Body: s.body(n, at), DefRange: at, TypeRange: at}}, nil
	}
	var blocks hcl.Blocks
	var diags hcl.Diagnostics
	s.each(n, func(key, value *yaml.Node) {
		label, labelRange := Unaliased(key).Value, s.RangeOf(key)
		inner := Unaliased(value)
		if inner.Kind != yaml.MappingNode && !isNull(inner) {
			diags = append(diags, Fault(s.RangeOf(value), "Block expected", "%q takes a mapping of keys to values, not %s.", label, KindOf(inner)))
			return
		}
		blocks = append(blocks, &hcl.Block{
			Type: header.Type, Labels: []string{label}, Body: s.body(inner, labelRange),
			DefRange: labelRange, TypeRange: at, LabelRanges: []hcl.Range{labelRange},
		})
	})
	return blocks, diags
}

// yamlExpr presents a value as an hcl.Expression.
type yamlExpr struct {
	source *YAMLSource
	node   *yaml.Node
}

func (e *yamlExpr) Range() hcl.Range      { return e.source.RangeOf(e.node) }
func (e *yamlExpr) StartRange() hcl.Range { return e.Range() }

// ExprList lets [hcl.ExprList] take a sequence apart, for the elements' places.
func (e *yamlExpr) ExprList() []hcl.Expression {
	n := Unaliased(e.node)
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	list := []hcl.Expression{}
	for _, c := range n.Content {
		list = append(list, &yamlExpr{e.source, c})
	}
	return list
}

// ExprMap lets [hcl.ExprMap] take a mapping apart.
func (e *yamlExpr) ExprMap() []hcl.KeyValuePair {
	n := Unaliased(e.node)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	pairs := []hcl.KeyValuePair{}
	e.source.each(n, func(key, value *yaml.Node) {
		name := hcl.StaticExpr(cty.StringVal(Unaliased(key).Value), e.source.RangeOf(key))
		pairs = append(pairs, hcl.KeyValuePair{Key: name, Value: &yamlExpr{e.source, value}})
	})
	return pairs
}

func (e *yamlExpr) Variables() []hcl.Traversal {
	n := Unaliased(e.node)
	if n.Kind == yaml.ScalarNode {
		if t, diags := e.template(n); t != nil && !diags.HasErrors() {
			return t.Variables()
		}
		return nil
	}
	var out []hcl.Traversal
	for _, c := range n.Content {
		out = append(out, (&yamlExpr{e.source, c}).Variables()...)
	}
	return out
}

func (e *yamlExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	n := Unaliased(e.node)
	var diags hcl.Diagnostics
	switch n.Kind {
	case yaml.SequenceNode:
		values := []cty.Value{}
		for _, c := range n.Content {
			v, ds := (&yamlExpr{e.source, c}).Value(ctx)
			values, diags = append(values, v), append(diags, ds...)
		}
		return cty.TupleVal(values), diags
	case yaml.MappingNode:
		values := map[string]cty.Value{}
		e.source.each(n, func(key, value *yaml.Node) {
			v, ds := (&yamlExpr{e.source, value}).Value(ctx)
			values[Unaliased(key).Value], diags = v, append(diags, ds...)
		})
		return cty.ObjectVal(values), diags
	}
	return e.scalar(n, ctx)
}

func (e *yamlExpr) scalar(n *yaml.Node, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return cty.NullVal(cty.DynamicPseudoType), nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return cty.BoolVal(b), nil
		}
	case "!!int":
		// YAML writes 0o17 and 0x1f as Go does, and 1_000 too.
		if len(n.Value) > maxDigits {
			return cty.DynamicVal, hcl.Diagnostics{numberFault(e.Range())}
		}
		if digits := strings.TrimLeft(n.Value, "+-"); len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
			return cty.DynamicVal, hcl.Diagnostics{Fault(e.Range(), "Ambiguous number", "%s begins with 0, and some programs read that as an octal number: write it without the 0, as 0o%s if it is octal, or in quotes if it is text.", n.Value, strings.TrimLeft(digits, "0"))}
		}
		if i, ok := new(big.Int).SetString(strings.TrimPrefix(n.Value, "+"), 0); ok {
			return cty.NumberVal(new(big.Float).SetInt(i)), nil
		}
	case "!!float":
		if !plainNumber(n.Value) {
			return cty.DynamicVal, hcl.Diagnostics{numberFault(e.Range())}
		}
		if v, err := cty.ParseNumberVal(n.Value); err == nil {
			return v, nil
		}
	case "!!str", "!!timestamp":
		t, diags := e.template(n)
		if t == nil {
			return cty.StringVal(n.Value), diags
		}
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		v, ds := t.Value(ctx)
		return v, append(diags, e.placed(n, ds)...)
	}
	return cty.DynamicVal, hcl.Diagnostics{Fault(e.Range(), "Invalid value", "%q cannot be used as a %s.", n.Value, n.ShortTag())}
}

// template parses a string that has something to fill in; nil if it has not.
func (e *yamlExpr) template(n *yaml.Node) (hcl.Expression, hcl.Diagnostics) {
	pays := e.source.budget
	if pays == nil || n.ShortTag() != "!!str" || !strings.Contains(n.Value, "${") && !strings.Contains(n.Value, "%{") {
		return nil, nil
	}
	// With a matrix it is read once a flavour.
	if !pays.spend(len(n.Value), e.Range()) {
		return hcl.StaticExpr(cty.DynamicVal, e.Range()), hcl.Diagnostics{pays.fault}
	}
	start := e.source.pos(e.contentOffset(n))
	tokens, _ := hclsyntax.LexTemplate([]byte(n.Value), e.source.name, start)
	if bad := tooMuch(tokens); bad != nil {
		unknown := hcl.StaticExpr(cty.DynamicVal, e.Range())
		return unknown, e.placed(n, hcl.Diagnostics{bad})
	}
	t, diags := hclsyntax.ParseTemplate([]byte(n.Value), e.source.name, start)
	explainLiteral(diags, false)
	pays.guard(t)
	return t, e.placed(n, diags)
}

// contentOffset is where a scalar's text begins, after its quote.
func (e *yamlExpr) contentOffset(n *yaml.Node) int {
	at := e.source.Offset(n)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && at < len(e.source.src) {
		at++
	}
	return at
}

// placed corrects the places in diagnostics of a template. They are right as they
// are if the text is in the source as it is; with escapes or several lines
// it does not, and the whole value is the place.
func (e *yamlExpr) placed(n *yaml.Node, diags hcl.Diagnostics) hcl.Diagnostics {
	if bytes.HasPrefix(e.source.src[e.contentOffset(n):], []byte(n.Value)) {
		return diags
	}
	for _, d := range diags {
		d.Subject, d.Context = e.source.RangeOf(n).Ptr(), nil
	}
	return diags
}
