package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// unknownFields finds fields that the objects of a parameter do not have, where a loop
// goes over them. Without it, they are found only if a flavour has such objects.
func unknownFields(expr hclsyntax.Expression, parameters []Parameter) hcl.Diagnostics {
	var diags hcl.Diagnostics
	visit(expr, func(n hclsyntax.Node) {
		loop, ok := n.(*hclsyntax.ForExpr)
		if !ok {
			return
		}
		over, ok := bare(loop.CollExpr).(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(over.Traversal) != 1 {
			return
		}
		i := slices.IndexFunc(parameters, func(p Parameter) bool { return p.Name == over.Traversal.RootName() && p.Type == Objects })
		if i < 0 || again(loop) {
			return
		}
		fields := fieldNames(parameters[i].Fields)
		for _, part := range []hclsyntax.Expression{loop.KeyExpr, loop.ValExpr, loop.CondExpr} {
			visit(part, func(n hclsyntax.Node) {
				t, ok := n.(*hclsyntax.ScopeTraversalExpr)
				if !ok || len(t.Traversal) < 2 || t.Traversal.RootName() != loop.ValVar || len(diags) >= maxUnknown {
					return
				}
				if field, ok := t.Traversal[1].(hcl.TraverseAttr); ok && !slices.Contains(fields, field.Name) {
					diags = append(diags, Fault(field.SrcRange, "Unknown field", "The objects of parameter %q have no field %q, only %s.%s",
						parameters[i].Name, field.Name, listed(parameters[i].Fields), DidYouMean(field.Name, fields)))
				}
			})
		}
	})
	return diags
}

// again reports whether an inner loop uses the same name for something else.
func again(loop *hclsyntax.ForExpr) bool {
	found := false
	visit(loop, func(n hclsyntax.Node) {
		if inner, ok := n.(*hclsyntax.ForExpr); ok && inner != loop && (inner.ValVar == loop.ValVar || inner.KeyVar == loop.ValVar) {
			found = true
		}
	})
	return found
}

// visit calls do with each node of an expression, which may be nil.
func visit(expr hclsyntax.Expression, do func(n hclsyntax.Node)) {
	if expr == nil {
		return
	}
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if p, ok := n.(*paid); ok {
			n = p.Expression
		}
		do(n)
		return nil
	})
}

// bare is an expression without the wrapper that counts what it costs.
func bare(expr hclsyntax.Expression) hclsyntax.Expression {
	if p, ok := expr.(*paid); ok {
		return p.Expression
	}
	return expr
}
