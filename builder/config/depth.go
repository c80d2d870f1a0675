package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The HCL parser and its expressions recurse without a bound, and a Go program
// whose stack overflows cannot be saved. So tokens are counted first.
const (
	// MaxDepth bounds brackets, quotes and templates within each other.
	MaxDepth = 100
	// maxOperators bounds operators in one expression and in what it
	// is within, since each may be one more level of recursion.
	maxOperators = 500
	// maxDigits and maxPower bound literal numbers: a larger one is slow to add
	// to another, and needs as much memory as it has digits when it is written.
	maxDigits = 64
	maxPower  = 300
)

// tooMuch returns the fault of tokens that the parser should not be given, or
// nil.
func tooMuch(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	open := []level{{}}
	operators := 0 // on all levels that are open
	for _, t := range tokens {
		top := &open[len(open)-1]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, level{braces: t.Type == hclsyntax.TokenOBrace})
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
			hclsyntax.TokenTemplateSeqEnd:
			if operators -= top.operators; len(open) > 1 {
				open = open[:len(open)-1]
			} else {
				top.operators = 0
			}
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
			// Elsewhere an expression goes on after it.
			if (top.braces || len(open) == 1) && bytes.HasSuffix(t.Bytes, []byte("\n")) {
				operators, top.operators = operators-top.operators, 0
			}
		case hclsyntax.TokenComma, hclsyntax.TokenEqual:
			operators, top.operators = operators-top.operators, 0
		case hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		case hclsyntax.TokenNumberLit:
			if !plainNumber(string(t.Bytes)) {
				return numberFault(t.Range)
			}
		default:
			operators++
			top.operators++
		}
		if len(open)-1 > MaxDepth || operators > maxOperators {
			return Fault(t.Range, "Nested too deeply", "An expression may have %d levels of brackets and %d operators.", MaxDepth, maxOperators)
		}
	}
	if len(tokens) > MaxTokens {
		return Fault(tokens[MaxTokens].Range, "File too large", "A file may have %d words and signs; this one has %d.", MaxTokens, len(tokens))
	}
	return nil
}

// level is what stands between brackets.
type level struct {
	braces    bool
	operators int
}

func numberFault(at hcl.Range) *hcl.Diagnostic {
	return Fault(at, "Number too large", "A number may have %d digits, and an exponent between -%d and %[2]d.", maxDigits, maxPower)
}

// plainNumber reports that a number is one to reckon with.
func plainNumber(text string) bool {
	if len(text) > maxDigits {
		return false
	}
	i := strings.IndexAny(text, "eE")
	if i < 0 || strings.HasPrefix(text, "0x") {
		return true
	}
	power, err := strconv.Atoi(text[i+1:])
	return err == nil && -maxPower <= power && power <= maxPower
}
