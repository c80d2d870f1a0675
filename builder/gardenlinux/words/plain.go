package words

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// Plain are the words of a line that needs no shell, and whether it is one: its
// words are text, quotes, braces and $arch. What bash does in a way of its own,
// or refuses, is left to it: a line that is not plain is not thereby at fault.
func Plain(arch, line string) ([]string, bool) {
	if strings.ContainsFunc(line, ownRules) || oddBraces(line) {
		return nil, false
	}
	command := "echo " + line
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(command), "")
	if err != nil || len(file.Stmts) != 1 {
		return nil, false
	}
	stmt := file.Stmts[0]
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || stmt.Background || len(stmt.Redirs) > 0 {
		return nil, false
	}
	args := call.Args[1:]
	for _, word := range args {
		if !plainParts(command, word.Parts) {
			return nil, false
		}
	}
	// Without ReadDir, * and ? mean themselves, as after "set -f".
	fields, err := expand.Fields(&expand.Config{Env: expand.ListEnviron("arch=" + arch), NoUnset: true}, args...)
	words := strings.Fields(strings.Join(fields, " "))
	if err != nil || len(words) > 0 && strings.HasPrefix(words[0], "-") {
		return nil, false // A first word with a dash would be an option of echo.
	}
	return words, true
}

// ownRules are characters that bash has rules of its own for: homes of users,
// control characters, letters of a locale.
func ownRules(r rune) bool { return r == '~' || r < ' ' && r != '\t' || r > '~' }

// braces is a group of words as it is in package lists.
var braces = regexp.MustCompile(`\{[^{},"'\s]*(?:,[^{},"'\s]*)+\}`)

// oddBraces reports that a line has braces that bash reads in its own way: ranges,
// those that are not in pairs or have no comma, and some words. It expands braces
// as text before all else and reads the result, so that {a,$}arch has a variable in
// it, and $arch{a,b} has two others.
func oddBraces(line string) bool {
	if strings.Contains(line, "{") && strings.Contains(line, `\`) {
		return true
	}
	rest := strings.ReplaceAll(line, "${arch}", "")
	if !strings.Contains(rest, "{") {
		return false
	}
	if strings.Contains(rest, "$") {
		return true
	}
	for before := ""; rest != before; {
		before, rest = rest, braces.ReplaceAllString(rest, "")
	}
	return strings.ContainsAny(rest, "{}")
}

// plainParts reports that parts of a word of the command are text, in quotes or not, and $arch.
func plainParts(command string, parts []syntax.WordPart) bool {
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
		case *syntax.SglQuoted:
			if p.Dollar {
				return false
			}
		case *syntax.DblQuoted:
			if p.Dollar || !plainParts(command, p.Parts) {
				return false
			}
		case *syntax.ParamExp:
			if text := command[p.Pos().Offset():p.End().Offset()]; text != "$arch" && text != "${arch}" {
				return false
			}
		default:
			return false
		}
	}
	return true
}
