package tree

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright/builder/config"
)

// This file reads YAML as PyYAML does for the Garden Linux builder, as far as
// trees use it: plain scalars are those of YAML 1.1, where on is true and 1:30 is
// a number; of a key written twice the last value counts, at the first one's
// place; merge keys work. What the two parsers read in different ways, and
// trees have no need of, is a fault at its place.

// pyPlain are PyYAML's rules for what a plain scalar is. No two overlap.
var pyPlain = []struct {
	tag     string
	pattern *regexp.Regexp
}{
	{"!!bool", regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)},
	{"!!float", regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)},
	{"!!int", regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)},
	{"!!merge", regexp.MustCompile(`^<<$`)},
	{"!!null", regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)},
	{"!!timestamp", regexp.MustCompile(`^[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$`)},
	{"!!value", regexp.MustCompile(`^=$`)},
}

var (
	// pyNoNumber are numbers by their form, without a digit.
	pyNoNumber = regexp.MustCompile(`^[-+]?0[bx]_+$`)
	// pyUnprintable are the characters that PyYAML's reader refuses.
	pyUnprintable = regexp.MustCompile(`[^\x09\x0A\x0D\x20-\x7E\x{85}\x{A0}-\x{FFFD}\x{10000}-\x{10FFFF}]`)
)

// pyTag is what PyYAML takes a node to be, by its short tag.
func pyTag(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "!!map"
	case n.Kind == yaml.SequenceNode:
		return "!!seq"
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return "!!str"
	}
	for _, rule := range pyPlain {
		if rule.pattern.MatchString(n.Value) {
			return rule.tag
		}
	}
	return "!!str"
}

// pyIsString reports that a node is a Python string.
func pyIsString(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && pyTag(n) == "!!str" }

// pyReader reads one file.
type pyReader struct {
	*config.YAMLSource
	src   []byte
	flat  map[*yaml.Node][]pyPair
	diags hcl.Diagnostics
	// values counts those that are written, merged the entries that merge keys
	// bring in.
	values, merged int
	depth          int
}

type pyPair struct{ key, value *yaml.Node }

func (p *pyReader) fault(n *yaml.Node, summary, detail string, args ...any) {
	if len(p.diags) >= config.MaxFaults {
		return
	}
	p.diags = append(p.diags, config.Fault(p.RangeOf(n), summary, detail, args...))
}

// byteOrderMark may be at the start of a file; places are counted from after it.
var byteOrderMark = []byte("\uFEFF")

// readPy reads a file without its byte order mark. Without a root it is empty or,
// with faults, unreadable.
func readPy(name string, src []byte) (*pyReader, *yaml.Node) {
	p := &pyReader{
		YAMLSource: config.NewYAMLSource(name, src),
		src:        src,
		flat:       map[*yaml.Node][]pyPair{},
	}
	if i := config.InvalidUTF8(src); i >= 0 {
		p.diags = append(p.diags, config.Fault(p.Between(i, i), "Not UTF-8", "The file must be text in UTF-8; here is a byte %#x.", src[i]))
		return p, nil
	}
	if at := pyUnprintable.FindIndex(src); at != nil {
		p.diags = append(p.diags, config.Fault(p.Between(at[0], at[1]), "Invalid YAML", "The character %q cannot be part of a YAML file.", src[at[0]:at[1]]))
		return p, nil
	}
	documents, err := config.ReadYAML(src)
	switch {
	case err != nil:
		p.diags = append(p.diags, p.SyntaxFault(err))
		return p, nil
	case len(documents) > 1:
		p.fault(documents[1], "More than one document", "A file holds one YAML document; this is a second one.")
		return p, nil
	case len(documents) == 0:
		return p, nil
	}
	if p.measure(documents[0]); p.diags.HasErrors() {
		return p, nil
	}
	p.checkTabs()
	p.check(documents[0], map[string]*yaml.Node{})
	if p.merged > config.MaxTokens {
		return p, nil
	}
	return p, config.Unaliased(documents[0].Content[0])
}

// checkTabs finds the first tab outside of comments. PyYAML takes others in
// quotes and in block scalars alone.
func (p *pyReader) checkTabs() {
	offset := 0
	for line := range bytes.Lines(p.src) {
		tab := bytes.IndexByte(line, '\t')
		if tab >= 0 && !endsInComment(line[:tab]) {
			p.diags = append(p.diags, config.Fault(p.Between(offset+tab, offset+tab+1), "Tab in YAML",
				`Tabs are read in comments only. Use spaces, and "\t" for a tab in text.`))
			return
		}
		offset += len(line)
	}
}

// endsInComment reports that the beginning of a line ends in a comment. A "#" after
// a quote is not taken for one, and neither is one that a break of YAML 1.1 ends.
func endsInComment(s []byte) bool {
	s = s[bytes.LastIndexAny(s, "\r\u0085\u2028\u2029")+1:] // other breaks of lines
	if bytes.HasPrefix(s, []byte("#")) {
		return true
	}
	i := bytes.Index(s, []byte(" #"))
	return i >= 0 && !bytes.ContainsAny(s[:i], `"'`)
}

// check looks at every value once, as PyYAML makes them all. It does not follow
// aliases, so that circles, which are allowed, do no harm.
func (p *pyReader) check(n *yaml.Node, anchors map[string]*yaml.Node) {
	if n.Anchor != "" {
		if first := anchors[n.Anchor]; first != nil {
			p.fault(n, "Anchor named twice", "&%s is the name of the value at %s already.", n.Anchor, config.PlaceOf(p.RangeOf(first)))
		}
		anchors[n.Anchor] = n
	}
	if n.Style&yaml.TaggedStyle != 0 {
		p.fault(n, "Tag in YAML", "Tags such as %s are not read in a Garden Linux tree. Leave it out. Text that looks like a number or a date goes in quotes.", n.Tag)
	} else if n.Kind == yaml.ScalarNode {
		p.checkScalar(n)
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if key := config.Unaliased(c); key.Kind != yaml.ScalarNode {
				p.fault(c, "Wrong type", "A key is a name, not %s.", config.KindOf(key))
			} else if pyTag(key) == "!!merge" && key.Style&yaml.TaggedStyle == 0 {
				continue // Right as a key, and only there.
			}
		}
		p.check(c, anchors)
	}
	if n.Kind == yaml.MappingNode {
		p.flatten(n)
	}
}

// checkScalar finds what PyYAML makes no value of, or one that our parser does not.
func (p *pyReader) checkScalar(n *yaml.Node) {
	switch pyTag(n) {
	case "!!str":
		if n.Style == 0 && strings.HasSuffix(n.Value, ":") {
			p.fault(n, "Invalid YAML", "In brackets and braces, a space goes between a colon and what follows it.")
		}
		if at := p.Offset(n); n.Style&yaml.DoubleQuotedStyle != 0 && escapedApostrophe(p.src[at:at+config.QuotedEnd(p.src[at:])]) {
			p.fault(n, "Invalid YAML", `In double quotes, an apostrophe must not have a backslash before it.`)
		}
	case "!!timestamp":
		if day, err := time.Parse("2006-01-02", n.Value); err != nil || day.Year() < 1 {
			p.fault(n, "Invalid value", "%q is written like a date, and only days that exist, such as 2026-01-31, are read. Put it in quotes if it is text.", n.Value)
		}
	case "!!merge", "!!value":
		p.fault(n, "Invalid value", "%q means something else in YAML 1.1. Put it in quotes if it is text.", n.Value)
	case "!!int":
		if pyNoNumber.MatchString(n.Value) {
			p.fault(n, "Invalid value", "%q is written like a number and has no digits. Put it in quotes if it is text.", n.Value)
		}
	}
}

// escapedApostrophe finds the one escape that our parser knows and PyYAML does
// not.
func escapedApostrophe(quoted []byte) bool {
	for i := 0; i+1 < len(quoted); i++ {
		if quoted[i] == '\\' {
			if i++; quoted[i] == '\'' {
				return true
			}
		}
	}
	return false
}
