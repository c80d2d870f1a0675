package compose

import (
	"fmt"
	"regexp"
	"strings"
)

// packageLine is one line of pkg.include, pkg.exclude or pkg.build, taken
// apart. The language is that of Debian's architecture qualifiers, a little
// widened:
//
//	line      = package { "[" term { blank term } "]" }
//	package   = what is left after $NAME and ${NAME} are filled in:
//	            NAME, NAME:ARCH, NAME=VERSION
//	term      = [ "!" ] ( ARCHITECTURE | PARAMETER )
//	          | [ "!" ] VARIABLE ( "=" | "!=" ) VALUE
//
// A bracket holds if any of its terms without negation does (or there is none)
// and all of its negated ones do; a line counts if all its brackets hold.
type packageLine struct {
	parts    []part
	brackets [][]term
}

// part is literal text, or the name of a variable.
type part struct {
	text, variable string
	at             int // offset in the line, in bytes
}

type term struct {
	negated bool
	name    string
	compare bool // with value
	value   string
	at      int
	text    string
}

// lineError is a fault at a part of a line.
type lineError struct {
	summary, detail string
	at, length      int // in bytes
}

// variableName is how shells spell variables, which is how parameters reach
// scripts.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

const blanks = " \t"

// parsePackageLine takes a line apart. It knows no names, only the grammar.
func parsePackageLine(text string) (*packageLine, *lineError) { return parseLine(text, "package") }

// parseLine is the same for lines that name something else.
func parseLine(text, what string) (*packageLine, *lineError) {
	end := strings.IndexAny(text, blanks+"[")
	if end < 0 {
		end = len(text)
	}
	l := &packageLine{}
	if err := l.parseName(text[:end], what); err != nil {
		return nil, err
	}
	for at := end; ; {
		rest := strings.TrimLeft(text[at:], blanks)
		if rest == "" {
			return l, nil
		}
		at = len(text) - len(rest)
		if rest[0] != '[' {
			hint := ""
			if what == "package" {
				hint = packageHint(text)
			}
			return nil, &lineError{"More than one " + what + " on a line",
				"Write one " + what + " on a line; only conditions in brackets may follow it." + hint, at, len(rest)}
		}
		inside, _, closed := strings.Cut(rest[1:], "]")
		if !closed {
			return nil, &lineError{"Unclosed condition", "The condition that begins here has no closing bracket.", at, len(rest)}
		}
		terms, err := parseTerms(inside, at+1)
		if err != nil {
			return nil, err
		}
		if len(terms) == 0 {
			return nil, &lineError{"Empty condition", "Write between the brackets when the " + what + " is wanted, for instance [amd64].", at, len(inside) + 2}
		}
		l.brackets = append(l.brackets, terms)
		at += len(inside) + 2
	}
}

func (l *packageLine) parseName(text, what string) *lineError {
	if text == "" {
		return &lineError{"Missing " + what, "A line names a " + what + " first.", 0, 0}
	}
	for at := 0; at < len(text); {
		literal, _, found := strings.Cut(text[at:], "$")
		if literal != "" {
			l.parts = append(l.parts, part{text: literal, at: at})
			at += len(literal)
		}
		if !found {
			break
		}
		rest := text[at+1:]
		braced := strings.HasPrefix(rest, "{")
		if braced {
			rest = rest[1:]
		}
		name := variableName.FindString(rest)
		length := 1 + len(name)
		if braced {
			length += 2
		}
		if name == "" || braced && !strings.HasPrefix(rest[len(name):], "}") {
			return &lineError{"Invalid variable",
				`A variable is written $NAME or ${NAME}; other shell syntax is not expanded here.`, at, len(text) - at}
		}
		l.parts = append(l.parts, part{text: text[at : at+length], variable: name, at: at})
		at += length
	}
	return nil
}

func parseTerms(inside string, offset int) ([]term, *lineError) {
	var terms []term
	for at := 0; at < len(inside); {
		if strings.IndexByte(blanks, inside[at]) >= 0 {
			at++
			continue
		}
		text := inside[at:]
		if end := strings.IndexAny(text, blanks); end >= 0 {
			text = text[:end]
		}
		t := term{at: offset + at, text: text}
		at += len(text)
		var bang bool
		t.name, t.negated = strings.CutPrefix(text, "!")
		t.name, t.value, t.compare = strings.Cut(t.name, "=")
		if t.compare {
			t.name, bang = strings.CutSuffix(t.name, "!")
			t.negated = t.negated != bang
		}
		if t.name == "" || strings.ContainsAny(t.name, "![") {
			return nil, &lineError{"Invalid condition",
				fmt.Sprintf("%q is not a condition. Write an architecture, a parameter, or PARAMETER=VALUE, each perhaps after a \"!\".", text), t.at, len(text)}
		}
		terms = append(terms, t)
	}
	return terms, nil
}
