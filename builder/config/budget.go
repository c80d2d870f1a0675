package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const (
	// maxValue bounds a value, in bytes and elements together: locals that double
	// each other grow beyond any memory in a few lines. No program gets a longer
	// variable in its environment.
	maxValue = 128 << 10
	// elementSize is what an element of a list or mapping counts as, in bytes.
	elementSize = 32
	// maxExponent bounds numbers: between 2 to the power of minus that, and of that.
	maxExponent = 2000
	// maxWork bounds all that expressions come to, in bytes: their own text each
	// time they are worked out, and what they give on the way.
	maxWork = 32 << 20
)

// budget is how much may still be spent on expressions. HCL has loops in loops,
// and no way to stop one; so the parts of an expression are wrapped in others
// that pay. A nil budget has no end.
type budget struct {
	left  int
	fault *hcl.Diagnostic // set once it is spent
}

// spend takes from the budget, and reports whether it was enough.
func (b *budget) spend(n int, at hcl.Range) bool {
	if b == nil {
		return true
	}
	if b.left -= n; b.left < 0 && b.fault == nil {
		b.fault = Fault(at, summaryTooMuch, "The values of all expressions of this tree, intermediate values included, may take %d MiB, and with this one they take more. Nested loops multiply, and so does a matrix over a long flavour.", maxWork>>20)
	}
	return b.fault == nil
}

// check pays for a value, and returns the fault of one that must not be kept.
func (b *budget) check(v cty.Value, at hcl.Range) *hcl.Diagnostic {
	m := measure{most: maxValue}
	m.value(v)
	switch {
	case !b.spend(min(m.size, maxValue), at):
		return b.fault
	case m.size > maxValue:
		return Fault(at, "Value too large", "A value may have %d bytes, of which each element of a list or mapping counts as %d; this one is larger.", maxValue, elementSize)
	case m.huge:
		return Fault(at, "Number too large", "Numbers must be between 2^-%d and 2^%[1]d; this one is not.", maxExponent)
	}
	return nil
}

// measure finds out how large a value is, as far as there is need to know.
type measure struct {
	size, most int
	huge       bool // a number is
}

func (m *measure) value(v cty.Value) {
	v, _ = v.Unmark()
	m.size += elementSize
	if m.size > m.most || !v.IsKnown() || v.IsNull() {
		return
	}
	switch t := v.Type(); {
	case t == cty.String:
		m.size += len(v.AsString())
	case t == cty.Number:
		if n := v.AsBigFloat(); n.Sign() != 0 && !n.IsInf() {
			exponent := n.MantExp(nil)
			m.huge = m.huge || exponent > maxExponent || exponent < -maxExponent
		} else {
			m.huge = m.huge || n.IsInf()
		}
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next() && m.size <= m.most; {
			key, element := it.Element()
			if key.Type() == cty.String {
				m.size += len(key.AsString())
			}
			m.value(element)
		}
	}
}

// paid is an expression that pays for what it gives.
type paid struct {
	hclsyntax.Expression
	budget *budget
	// argument reports that it is a function's: HCL finds a type for all elements of a
	// list there, which takes time that grows with the square of their number.
	argument bool
}

// Value implements [hcl.Expression].
func (p *paid) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if !p.budget.spend(elementSize, p.Range()) {
		return cty.DynamicVal, hcl.Diagnostics{p.budget.fault}
	}
	v, diags := p.Expression.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if d := p.budget.check(v, p.Range()); d != nil {
		return cty.DynamicVal, append(diags, d)
	}
	if p.argument && v.CanIterateElements() {
		if n := v.LengthInt(); !p.budget.spend(n*n/4, p.Range()) {
			return cty.DynamicVal, hcl.Diagnostics{p.budget.fault}
		}
	}
	return v, diags
}

// UnwrapExpression lets HCL look at what is written.
func (p *paid) UnwrapExpression() hcl.Expression { return p.Expression }

// guardBody makes all expressions of a body pay.
func (b *budget) guardBody(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		b.guard(a.Expr)
	}
	for _, block := range body.Blocks {
		b.guardBody(block.Body)
	}
}

// unpaid is an expression without what makes it pay.
func unpaid(e hcl.Expression) hcl.Expression {
	if p, ok := e.(*paid); ok {
		return p.Expression
	}
	return e
}

// guard makes the parts of an expression pay. The whole stays what it is, as HCL
// asks for its kind; what it gives is for [scope.value] to check.
func (b *budget) guard(whole hclsyntax.Expression) {
	switch e := whole.(type) {
	case *hclsyntax.TemplateExpr:
		for i, part := range e.Parts {
			e.Parts[i] = b.wrap(inBrackets(part)) // as strings are joined here
		}
	case *hclsyntax.TemplateWrapExpr:
		e.Wrapped = b.wrap(e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		e.Tuple = b.wrap(e.Tuple)
	case *hclsyntax.FunctionCallExpr:
		for i, arg := range e.Args {
			e.Args[i] = b.wrap(inBrackets(arg))
			if p, ok := e.Args[i].(*paid); ok {
				p.argument = true
			}
		}
	case *hclsyntax.ConditionalExpr:
		e.Condition, e.TrueResult, e.FalseResult = b.wrap(e.Condition), b.wrap(e.TrueResult), b.wrap(e.FalseResult)
	case *hclsyntax.IndexExpr:
		e.Collection, e.Key = b.wrap(e.Collection), b.wrap(e.Key)
	case *hclsyntax.TupleConsExpr:
		b.wrapAll(e.Exprs)
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			b.guard(e.Items[i].KeyExpr)
			e.Items[i].ValueExpr = b.wrap(e.Items[i].ValueExpr)
		}
	case *hclsyntax.ObjectConsKeyExpr:
		e.Wrapped = b.wrap(e.Wrapped)
	case *hclsyntax.ForExpr:
		e.CollExpr, e.KeyExpr, e.ValExpr, e.CondExpr = b.wrap(e.CollExpr), b.wrap(e.KeyExpr), b.wrap(e.ValExpr), b.wrap(e.CondExpr)
	case *hclsyntax.SplatExpr:
		e.Source, e.Each = b.wrap(e.Source), b.wrap(e.Each)
	case *hclsyntax.BinaryOpExpr:
		e.LHS, e.RHS = b.wrap(e.LHS), b.wrap(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		e.Val = b.wrap(e.Val)
	case *hclsyntax.ParenthesesExpr:
		e.Expression = b.wrap(e.Expression)
	case *hclsyntax.RelativeTraversalExpr:
		e.Source = b.wrap(e.Source)
	}
}

func (b *budget) wrapAll(list []hclsyntax.Expression) {
	for i, e := range list {
		list[i] = b.wrap(e)
	}
}

// wrap makes a part of an expression, and its own parts, pay. Names and literals
// give what is there already.
func (b *budget) wrap(e hclsyntax.Expression) hclsyntax.Expression {
	switch e.(type) {
	case nil, *hclsyntax.LiteralValueExpr, *hclsyntax.ScopeTraversalExpr, *hclsyntax.AnonSymbolExpr, *hclsyntax.ObjectConsKeyExpr:
		return e
	}
	b.guard(e)
	return &paid{Expression: e, budget: b}
}

// inBrackets makes a mere name something that pays. HCL does not find it within
// anything but its own kinds of expressions.
func inBrackets(e hclsyntax.Expression) hclsyntax.Expression {
	if name, ok := e.(*hclsyntax.ScopeTraversalExpr); ok {
		return &hclsyntax.ParenthesesExpr{Expression: name, SrcRange: name.SrcRange}
	}
	return e
}
