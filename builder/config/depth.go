package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The HCL parser and its expressions recurse without a bound, and a Go program
// whose stack overflows cannot be saved. So tokens are counted first.
const (
	// maxDepth bounds brackets, quotes and templates within each other.
	maxDepth = 100
	// maxOperators bounds operators that stand in one expression, since each may
	// be one more level of recursion.
	maxOperators = 500
)

// tooDeep returns the fault of tokens that the parser should not be given, or
// nil.
func tooDeep(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	depth, operators := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
			hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenComma, hclsyntax.TokenNewline, hclsyntax.TokenEqual:
			operators = 0
		case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		default:
			operators++
		}
		if depth > maxDepth || operators > maxOperators {
			return fault(t.Range, "Nested too deeply", "An expression may hold %d levels of brackets and %d operators.", maxDepth, maxOperators)
		}
	}
	return nil
}
