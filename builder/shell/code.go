package shell

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Longest is how long a script may be, in bytes, to be looked at.
const Longest = 256 << 10

var interpreters = regexp.MustCompile(`^#![^\n]*\b(?:ba|da|k|z)?sh\b`)

// Named reports that a script's first line names a shell.
func Named(src []byte) bool { return interpreters.Match(src) }

// mostNested is how many things that can hold others a script may open and still
// be parsed: the parser calls itself for each.
const mostNested = 10_000

// Parse reads a script, unless no shell can or it is nested too deeply.
func Parse(src []byte) (*syntax.File, bool) {
	if tooDeep(src) {
		return nil, false
	}
	file, err := syntax.NewParser(syntax.KeepComments(true), syntax.Variant(syntax.LangBash)).Parse(bytes.NewReader(src), "")
	return file, err == nil
}

func tooDeep(src []byte) bool {
	nested := bytes.Count(src, []byte("(")) + bytes.Count(src, []byte("{")) + bytes.Count(src, []byte("`")) + bytes.Count(src, []byte("if")) + bytes.Count(src, []byte("!"))
	return nested > mostNested
}

// Code returns a script as long as it was, so that places stay, but with
// blanks for all that is not run: comments, and here-documents except for
// commands that are substituted in them. Lines joined by a backslash are one
// line. A script that cannot be parsed is left as it is.
func Code(src []byte) []byte {
	file, ok := Parse(src)
	if !ok {
		return src
	}
	c := &cleaner{src: src, out: bytes.Clone(src), literal: make([]bool, len(src)+1)}
	syntax.Walk(file, c.visit)
	for i := 0; i+1 < len(src); i++ {
		switch {
		case src[i] != '\\' || c.literal[i]:
		case src[i+1] == '\n':
			c.out[i], c.out[i+1] = ' ', ' '
		default:
			i++ // what is escaped escapes nothing
		}
	}
	return c.out
}

// cleaner blanks what is not run.
type cleaner struct {
	src, out []byte
	literal  []bool // a backslash there is one
}

func (c *cleaner) visit(node syntax.Node) bool {
	switch n := node.(type) {
	case *syntax.Comment:
		c.blank(offset(n.Pos()), offset(n.End()))
	case *syntax.SglQuoted:
		for i := offset(n.Pos()); i < min(offset(n.End()), len(c.src)) && !n.Dollar; i++ {
			c.literal[i] = true
		}
	case *syntax.Stmt:
		for _, r := range n.Redirs {
			if r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc {
				c.document(r.Hdoc, readsScript(n.Cmd))
			}
		}
	}
	return true
}

// document blanks a here-document with the line that ends it, or that line alone
// if the document is a script.
func (c *cleaner) document(doc *syntax.Word, script bool) {
	if doc == nil {
		return
	}
	from, to := offset(doc.Pos()), min(offset(doc.End()), len(c.src))
	end := len(c.src)
	if n := bytes.IndexByte(c.src[to:], '\n'); n >= 0 {
		end = to + n
	}
	c.blank(to, end)
	if script {
		return
	}
	kept := bytes.Clone(c.out[from:to])
	c.blank(from, to)
	for _, part := range doc.Parts {
		if s, ok := part.(*syntax.CmdSubst); ok {
			a, b := offset(s.Pos()), offset(s.End())
			copy(c.out[a:b], kept[a-from:b-from])
		}
	}
}

// blank overwrites a range, except for line ends.
func (c *cleaner) blank(from, to int) {
	for i := from; i < min(to, len(c.out)); i++ {
		if c.out[i] != '\n' {
			c.out[i] = ' '
		}
	}
}

func offset(p syntax.Pos) int { return int(p.Offset()) }

// readsScript reports whether a command is a shell that is told by its standard
// input what to do, perhaps by way of another program (chroot, ssh).
func readsScript(cmd syntax.Command) bool {
	call, ok := cmd.(*syntax.CallExpr)
	if !ok {
		return false
	}
	for i := len(call.Args) - 1; i >= 0; i-- {
		word := call.Args[i].Lit()
		if strings.HasPrefix(word, "-") {
			continue
		}
		switch path.Base(word) {
		case "sh", "bash", "dash", "zsh", "ksh":
			return true
		}
		return false
	}
	return false
}
