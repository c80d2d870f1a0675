package shell

import (
	"bytes"
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// SyntaxFault is what a shell cannot read.
type SyntaxFault struct {
	// At is the offset where the construct begins that is at fault.
	At int
	// Text is what is wrong, as the end of a sentence.
	Text string
	// Certain reports that no shell can read it; else the parser could be wrong.
	Certain bool
	// Dialect reports that bash can read it, and the shell that is named cannot.
	Dialect bool
}

// Syntax returns what a shell that runs a script by its first line cannot read of
// it; nil if that is nothing, or if it is too deeply nested to be looked at. program
// is the name of the shell; what is not one of sh, dash and bash is not judged.
func Syntax(src []byte, program string) *SyntaxFault {
	if program != "sh" && program != "dash" && program != "bash" || tooDeep(src) {
		return nil
	}
	if fault := syntaxOf(src, syntax.LangBash); fault != nil || program == "bash" {
		return fault
	}
	if fault := syntaxOf(src, syntax.LangPOSIX); fault != nil && fault.Dialect {
		return fault
	}
	// What else the parser says here says nothing of dash.
	if at, what := unknownToDash(src); what != "" {
		return &SyntaxFault{At: at, Text: what, Dialect: true}
	}
	return nil
}

func syntaxOf(src []byte, lang syntax.LangVariant) *SyntaxFault {
	_, err := syntax.NewParser(syntax.Variant(lang)).Parse(bytes.NewReader(src), "")
	var parse syntax.ParseError
	var dialect syntax.LangError
	switch {
	case errors.As(err, &parse):
		// With a warning, bash takes the end of the file for the end of a here-document.
		certain := parse.Incomplete && !strings.HasPrefix(parse.Text, "unclosed here-document")
		text := strings.NewReplacer("`", "\"", "reached EOF", "the file ends").Replace(parse.Text)
		return &SyntaxFault{At: min(offset(parse.Pos), len(src)), Text: text, Certain: certain}
	case errors.As(err, &dialect):
		return &SyntaxFault{At: min(offset(dialect.Pos), len(src)), Text: dialect.Feature, Dialect: true}
	}
	return nil
}
