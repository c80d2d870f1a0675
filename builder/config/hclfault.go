package config

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The summaries of HCL's parser for what people write who are used to other languages.
const (
	hclNotDefinition = "Argument or block definition required"
	hclBadCharacter  = "Invalid character"
	hclNoSeparator   = "Missing item separator"
	hclNotClosed     = "Unclosed configuration block"
)

var (
	colonForEquals = regexp.MustCompile(`^\s*([A-Za-z_][\w-]*)\s*:\s*(\S.*?)\s*$`)
	equalsMissing  = regexp.MustCompile(`^\s*([A-Za-z_][\w-]*)\s*(\[.*?)\s*$`)
	yamlKey        = regexp.MustCompile(`^("?)[A-Za-z_][\w.-]*("?):(\s|$)`)
	singleQuoted   = regexp.MustCompile(`'([^'"]*)'`)
	curlyQuoted    = regexp.MustCompile(`[“”„]([^“”„"]*)[“”]`)
)

// explainHCL puts faults of syntax into words that say what to write, and leaves out
// those that only follow from another one of the same line.
func explainHCL(name string, src []byte, found hcl.Diagnostics) hcl.Diagnostics {
	if d := yamlAsHCL(name, src); d != nil && found.HasErrors() {
		return hcl.Diagnostics{d}
	}
	quotes := map[int]bool{}
	for _, d := range found {
		if d.Summary == hclBadCharacter && d.Subject != nil && quotesAsText(d, src) {
			quotes[d.Subject.Start.Line] = true
		}
	}
	var out hcl.Diagnostics
	said := map[int]bool{}
	for _, d := range found {
		if d.Subject == nil {
			out = append(out, d)
			continue
		}
		line := d.Subject.Start.Line
		if quotes[line] && (said[line] || d.Summary != summaryQuotes) {
			continue
		}
		said[line] = said[line] || d.Summary == summaryQuotes
		switch d.Summary {
		case hclNotDefinition:
			asDefinition(d, lineOf(src, *d.Subject))
		case hclNoSeparator:
			atItemBefore(d, src)
		case hclNotClosed:
			atOpenBlock(d, src)
		}
		out = append(out, d)
	}
	return out
}

// yamlAsHCL is the fault of a file in YAML whose ending is that of HCL.
func yamlAsHCL(name string, src []byte) *hcl.Diagnostic {
	from := 0
	for line := range bytes.Lines(src) {
		text := bytes.TrimRight(line, " \t\r\n")
		if len(text) > 0 && text[0] != '#' && string(text) != "---" {
			if !yamlKey.Match(text) {
				return nil
			}
			return Fault(RangeIn(name, src, from, from+len(text)), "YAML in a file for HCL",
				"The ending .hcl is for HCL, and this is YAML. Call the file %s.", strings.TrimSuffix(path.Base(name), ".hcl")+".yaml")
		}
		from += len(line)
	}
	return nil
}

const summaryQuotes = "Wrong quotes"

// quotesAsText explains quotes that are not those of HCL. False means that the
// character is another one.
func quotesAsText(d *hcl.Diagnostic, src []byte) bool {
	line := lineOf(src, *d.Subject)
	quoted := singleQuoted
	if bytes.ContainsAny(d.Subject.SliceBytes(src), "“”„") {
		quoted = curlyQuoted
	} else if !bytes.Contains(d.Subject.SliceBytes(src), []byte("'")) {
		return false
	}
	d.Summary, d.Detail = summaryQuotes, `Text is between straight double quotes (").`
	if m := quoted.FindStringSubmatch(line); m != nil {
		d.Detail = fmt.Sprintf(`Text is between straight double quotes: "%s".`, m[1])
	}
	return true
}

// asDefinition explains a line that is nearly a field.
func asDefinition(d *hcl.Diagnostic, line string) {
	if m := colonForEquals.FindStringSubmatch(line); m != nil {
		d.Summary, d.Detail = "Colon in place of =", fmt.Sprintf("HCL has an equals sign where YAML has a colon: %s = %s", m[1], m[2])
	} else if m := equalsMissing.FindStringSubmatch(line); m != nil {
		d.Summary, d.Detail = "Missing =", fmt.Sprintf("An equals sign is between a field and its value: %s = %s", m[1], m[2])
	}
}

// atItemBefore moves the fault of a missing comma to the item that it belongs after.
func atItemBefore(d *hcl.Diagnostic, src []byte) {
	end := min(d.Subject.Start.Byte, len(src))
	for end > 0 {
		rest := bytes.TrimRight(src[:end], " \t\r\n")
		start := bytes.LastIndexByte(rest, '\n') + 1
		if text := strings.TrimSpace(string(rest[start:])); !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "//") {
			end = len(rest)
			break
		}
		end = start
	}
	start := bytes.LastIndexByte(src[:end], '\n') + 1
	start += len(src[start:end]) - len(bytes.TrimLeft(src[start:end], " \t"))
	at := RangeIn(d.Subject.Filename, src, start, end)
	d.Subject, d.Context = &at, nil
	d.Summary, d.Detail = "Missing comma", "A comma has to follow this item, as another one comes after it."
}

// atOpenBlock moves the fault of a brace that is missing to the block that it is missing
// from, as far as the indentation shows.
func atOpenBlock(d *hcl.Diagnostic, src []byte) {
	type opened struct{ indent, from, to int }
	var open []opened
	at := 0
	for line := range bytes.Lines(src) {
		text := bytes.TrimSpace(line)
		indent := len(line) - len(bytes.TrimLeft(line, " \t"))
		if len(text) > 0 && text[0] != '#' {
			closes := text[0] == '}' || text[0] == ']' || text[0] == ')'
			if n := len(open); n > 0 && indent <= open[n-1].indent {
				if !closes || indent < open[n-1].indent {
					block := RangeIn(d.Subject.Filename, src, open[n-1].from, open[n-1].to)
					d.Subject, d.Context = &block, nil
					d.Detail = fmt.Sprintf("There is no closing brace for this block: going by the indentation, } is missing before line %d.", 1+bytes.Count(src[:at], []byte("\n")))
					return
				}
				open = open[:n-1]
			}
			if last := text[len(text)-1]; last == '{' || last == '[' || last == '(' {
				open = append(open, opened{indent, at + indent, at + indent + len(text)})
			}
		}
		at += len(line)
	}
	d.Detail = "There is no closing brace for this block before the end of the file."
}

// lineOf is the text of the line in which a range begins, as far as it is shown.
func lineOf(src []byte, r hcl.Range) string {
	at := min(max(r.Start.Byte, 0), len(src))
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	line, _, _ := bytes.Cut(src[start:min(start+widestLine, len(src))], []byte("\n"))
	return strings.TrimRight(string(line), "\r")
}
