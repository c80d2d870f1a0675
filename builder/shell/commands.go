package shell

import (
	"path"
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// Command is a program that a script runs by name.
type Command struct {
	// Name is that of the program, without directories.
	Name string
	// Args are its arguments as they are written; one in which something is filled in
	// is "".
	Args []string
	// From and To are the offsets of the command.
	From, To int
}

// Commands returns what a script for a shell runs, in the order of its text; nothing of a
// script that cannot be parsed. What a variable names is not found.
func Commands(src []byte) []Command {
	file, ok := Parse(src)
	if !ok {
		return nil
	}
	var all []Command
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		name := literal(call.Args[0])
		if name == "" {
			return true
		}
		c := Command{Name: path.Base(name), From: offset(call.Pos()), To: min(offset(call.End()), len(src))}
		for _, arg := range call.Args[1:] {
			c.Args = append(c.Args, literal(arg))
		}
		all = append(all, c)
		return true
	})
	return all
}

// literal is a word as a shell has it, if nothing is filled in; else "".
func literal(word *syntax.Word) string {
	text := ""
	for _, part := range word.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			text += p.Value
		case *syntax.SglQuoted:
			text += p.Value
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok {
					return ""
				}
				text += lit.Value
			}
		default:
			return ""
		}
	}
	return text
}

// ofBash are commands that bash has and dash does not, as it has no program of the name
// either.
var ofBash = []string{"declare", "let", "mapfile", "popd", "pushd", "readarray", "shopt", "source", "typeset"}

// unknownToDash finds a command of bash that dash would not find, or that it would not
// understand: its offset and what it is, "" if there is none.
func unknownToDash(src []byte) (at int, what string) {
	if file, ok := Parse(src); ok {
		at = -1
		syntax.Walk(file, func(node syntax.Node) bool {
			if test, ok := node.(*syntax.TestClause); ok && at < 0 {
				at = offset(test.Pos())
			}
			return true
		})
		if at >= 0 {
			return at, "the command [["
		}
	}
	for _, c := range Commands(src) {
		switch {
		case slices.Contains(ofBash, c.Name):
			return c.From, "the command " + c.Name
		case (c.Name == "[" || c.Name == "test") && slices.Contains(c.Args, "=="):
			return c.From, "== in the command " + c.Name + ", where sh has ="
		}
	}
	return 0, ""
}
