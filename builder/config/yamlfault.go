package config

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// longSource is from how many bytes on a file is not read again and again for the
// line of a fault.
const longSource = 64 << 10

// SyntaxFault gives a parser's error its place. The parser names, if any, the
// line on which the surrounding construct begins, and that not always rightly;
// so look for the shortest run of lines that fails in the same way.
func (s *YAMLSource) SyntaxFault(err error) *hcl.Diagnostic {
	reason := func(err error) string {
		if err == nil {
			return ""
		}
		return yamlLine.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "")
	}
	want := reason(err)
	line := 1
	if len(s.src) < longSource {
		line += sort.Search(len(s.lines)-1, func(i int) bool {
			_, err := ReadYAML(s.src[:s.lines[i+1]])
			return reason(err) == want
		})
	} else if m := yamlLine.FindStringSubmatch(strings.TrimPrefix(err.Error(), "yaml: ")); m != nil {
		told, _ := strconv.Atoi(m[1])
		line = min(max(told, 1), len(s.lines))
	}
	start := s.lines[line-1]
	end := len(s.src)
	if line < len(s.lines) {
		end = s.lines[line]
	}
	text := strings.TrimRight(string(s.src[start:end]), "\r\n")
	indent := len(text) - len(strings.TrimLeft(text, " \t"))
	if strings.Contains(text[:indent], "\t") {
		return Fault(s.Between(start, start+len(text)), "Invalid YAML", "The line is indented with a tab. YAML allows only blanks for that.")
	}
	if begin := s.openQuote(line, want); begin >= 0 {
		return Fault(s.Between(begin, begin+1), "Invalid YAML", "The quoted text that begins here does not end where it should.")
	}
	if d := s.colonMissing(line, want); d != nil {
		return d
	}
	return Fault(s.Between(start+indent, start+len(text)), "Invalid YAML", "%s", s.plainWords(line, text, want))
}

// withoutColon is a line that is a key without its colon, perhaps with a value.
var withoutColon = regexp.MustCompile(`^( *)([A-Za-z][\w.-]*)(?: +([^:#]*[^:# ]))?\s*$`)

// colonMissing is the fault of the line above one, if that lacks a colon; else nil.
func (s *YAMLSource) colonMissing(line int, reason string) *hcl.Diagnostic {
	above, at := s.above(line)
	above, _, _ = strings.Cut(above, " #")
	m := withoutColon.FindStringSubmatch(above)
	if m == nil || reason != "mapping values are not allowed in this context" && reason != "did not find expected <document start>" {
		return nil
	}
	start := s.lines[at-1] + len(m[1])
	return Fault(s.Between(start, s.lines[at-1]+len(above)), "Invalid YAML", "A colon is missing: %s", strings.TrimRight(m[2]+": "+m[3], " "))
}

// oddStart finds a value that begins with what no value can begin with.
var oddStart = regexp.MustCompile("(?:^|[:,\\[{-])[ ]*([@`%])")

// openQuote is the offset of the quotation mark that a line opens and does not
// close, if the parser found the end of the file within quotes; else -1.
func (s *YAMLSource) openQuote(line int, reason string) int {
	if reason != "found unexpected end of stream" {
		return -1
	}
	start := s.lines[line-1]
	for i := start; i < len(s.src) && s.src[i] != '\n'; i++ {
		if c := s.src[i]; c == '#' && i > start && s.src[i-1] == ' ' {
			break
		} else if c != '"' && c != '\'' || i > start && strings.IndexByte(" [{,:", s.src[i-1]) < 0 {
			continue
		}
		end := QuotedEnd(s.src[i:])
		if end == 0 {
			return i
		}
		i += end - 1
	}
	return -1
}

// plainWords describes what is wrong with a line. The parser knows only what it expected.
func (s *YAMLSource) plainWords(line int, text, reason string) string {
	indent := len(text) - len(strings.TrimLeft(text, " "))
	above, _ := s.above(line)
	text, _, _ = strings.Cut(text, " #") // a comment
	switch reason {
	case "did not find expected key", "did not find expected '-' indicator":
		if above != "" && len(above)-len(strings.TrimLeft(above, " ")) != indent {
			return "The line is indented by " + blanks(indent) + ", which fits none of the lines above that it could belong to. Keys of one mapping, and items of one list, begin in the same column."
		}
	case "mapping values are not allowed in this context":
		key, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
		switch {
		case above != "" && indent > len(above)-len(strings.TrimLeft(above, " ")) && !strings.Contains(value, ": "):
			return "The line is indented more than the one above, which has a value already. Keys of one mapping begin in the same column."
		case strings.Contains(value, ": "):
			return "A colon followed by a blank ends a key, and this line has two. Write the value in quotes: " + key + ": " + strconv.Quote(value)
		}
	case "found character that cannot start any token":
		if m := oddStart.FindStringSubmatch(text); m != nil {
			return "A value cannot begin with " + m[1] + ", unless it is in quotes."
		}
	case "did not find expected ',' or ']'":
		return "A list in brackets is not closed: its items are divided by commas, and it ends with ]."
	case "did not find expected ',' or '}'":
		return "A mapping in braces is not closed: its keys and values are divided by commas, and it ends with }."
	case "could not find expected ':'":
		return "The line is neither KEY: VALUE nor - ITEM. A blank has to follow the colon, and the -."
	}
	return "The YAML parser reports: " + reason + "."
}

// above is the last line before one that is neither blank nor a comment, without
// its end, and its number; "" if there is none.
func (s *YAMLSource) above(line int) (text string, at int) {
	for i := line - 2; i >= 0; i-- {
		text := bytes.TrimRight(s.src[s.lines[i]:s.lines[i+1]], "\r\n")
		if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] != '#' {
			return string(text), i + 1
		}
	}
	return "", 0
}

func blanks(n int) string {
	if n == 1 {
		return "1 blank"
	}
	return strconv.Itoa(n) + " blanks"
}
