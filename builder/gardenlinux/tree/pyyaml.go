package tree

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright/builder/config"
)

// This file reads YAML with PyYAML's eyes (its FullLoader), for files that are
// written for the Garden Linux builder: YAML 1.1, where on is true and 1:30 is
// a number; of a key written twice the last value counts, at the first one's
// place; merge keys work; and a value that cannot be made anywhere in a file
// makes the whole file fail.

// pyPlain are PyYAML's rules for what a plain scalar is. No two overlap.
var pyPlain = []struct {
	tag     string
	pattern *regexp.Regexp
}{
	{"!!bool", regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)},
	{"!!float", regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)},
	{"!!int", pyInt},
	{"!!merge", regexp.MustCompile(`^<<$`)},
	{"!!null", regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)},
	{"!!timestamp", regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|` + pyTime + `)$`)},
	{"!!value", regexp.MustCompile(`^=$`)},
}

var pyInt = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)

const pyTime = `[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?`

var (
	pyTimestamp = regexp.MustCompile(`^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?:(?:[Tt]|[ \t]+)([0-9]{1,2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+]([0-9]{1,2})(?::?([0-9]{2}))?))?)?$`)
	pySixty     = regexp.MustCompile(`^[-+]?[0-9]+(?::[0-9]+)+\.?[0-9]*$`)
	// pyUnprintable are the characters that PyYAML's reader refuses.
	pyUnprintable = regexp.MustCompile(`[^\x09\x0A\x0D\x20-\x7E\x{85}\x{A0}-\x{FFFD}\x{10000}-\x{10FFFF}]`)
)

// pySynonyms are the tags that stand for another one.
var pySynonyms = map[string]string{
	"!!python/none": "!!null", "!!python/bool": "!!bool", "!!python/int": "!!int", "!!python/long": "!!int",
	"!!python/float": "!!float", "!!python/str": "!!str", "!!python/unicode": "!!str", "!!python/bytes": "!!binary",
	"!!python/list": "!!seq", "!!python/tuple": "!!seq", "!!python/dict": "!!map",
}

// pyTag is what PyYAML takes a node to be, by its short tag.
func pyTag(n *yaml.Node) string {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		if synonym := pySynonyms[n.Tag]; synonym != "" {
			return synonym
		}
		return n.Tag
	case n.Kind == yaml.MappingNode:
		return "!!map"
	case n.Kind == yaml.SequenceNode:
		return "!!seq"
	case n.Style&quoted != 0:
		return "!!str"
	}
	for _, rule := range pyPlain {
		if rule.pattern.MatchString(n.Value) {
			return rule.tag
		}
	}
	return "!!str"
}

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

// readPy reads a file. Without a root it is empty or, with faults, unreadable.
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
	documents, err := config.ReadYAML(withoutDirectives(src))
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
	p.checkTabs(documents[0])
	p.check(documents[0], map[string]*yaml.Node{})
	if p.merged > config.MaxTokens {
		return p, nil
	}
	return p, config.Unaliased(documents[0].Content[0])
}

// withoutDirectives makes comments of directives that PyYAML does not look at:
// unknown ones and every version below 2. The parser would stop at them.
func withoutDirectives(src []byte) []byte {
	if !bytes.HasPrefix(src, []byte("%")) {
		return src
	}
	kept := bytes.Clone(src)
	offset := 0
	for line := range bytes.Lines(src) {
		switch {
		case bytes.HasPrefix(line, []byte("---")):
			return kept
		case bytes.HasPrefix(line, []byte("%YAML 1.")), line[0] == '%' && !bytes.HasPrefix(line, []byte("%YAML ")) && !bytes.HasPrefix(line, []byte("%TAG ")):
			kept[offset] = '#'
		}
		offset += len(line)
	}
	return src // Without a "---" they are a fault for both.
}

// checkTabs finds the first tab where PyYAML takes none, which is everywhere
// but in quotes, in block scalars and in comments.
func (p *pyReader) checkTabs(root *yaml.Node) {
	if !bytes.ContainsRune(p.src, '\t') {
		return
	}
	rest := bytes.Clone(p.src)
	blank := func(start, end int) {
		for i := start; i < min(end, len(rest)); i++ {
			if rest[i] != '\n' {
				rest[i] = '.'
			}
		}
	}
	block := -1 // Where a block scalar begins that ends before the next value.
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		at := p.Offset(n)
		if block >= 0 && n.Kind != yaml.DocumentNode {
			blank(block, at)
			block = -1
		}
		// A tag or an anchor may stand before the text.
		switch src := p.src[at:]; {
		case n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
			if i := bytes.IndexAny(src, `"'`); i >= 0 {
				blank(at+i, at+i+config.QuotedEnd(src[i:]))
			}
		case n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			if i := bytes.IndexByte(src, '\n'); i >= 0 {
				block = at + i
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(root)
	if block >= 0 {
		blank(block, len(rest))
	}
	offset := 0
	for line := range bytes.Lines(rest) {
		tab := bytes.IndexByte(line, '\t')
		comment := bytes.Index(line, []byte(" #"))
		if bytes.HasPrefix(line, []byte("#")) {
			comment = 0
		}
		if tab >= 0 && (comment < 0 || comment > tab) {
			p.diags = append(p.diags, config.Fault(p.Between(offset+tab, offset+tab+1), "Tab in YAML",
				"YAML knows no tabs but in quotes and comments. Write blanks."))
			return
		}
		offset += len(line)
	}
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
	switch n.Kind {
	case yaml.ScalarNode:
		if at := p.Offset(n); n.Style&yaml.DoubleQuotedStyle != 0 && escapedApostrophe(p.src[at:at+config.QuotedEnd(p.src[at:])]) {
			p.fault(n, "Invalid YAML", `In double quotes, an apostrophe stands without a backslash.`)
		}
		if problem := pyScalar(n); problem != "" {
			p.fault(n, "Invalid value", "%s.", problem)
		}
	case yaml.MappingNode:
		if tag := pyTag(n); tag != "!!map" && tag != "!!set" {
			p.fault(n, "Invalid value", "A mapping cannot be tagged %s.", tag)
		}
	case yaml.SequenceNode:
		p.checkSequence(n)
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if key := config.Unaliased(c); key.Kind == yaml.ScalarNode {
				if tag := pyTag(key); tag == "!!merge" || tag == "!!value" {
					continue // Right as a key, and only there.
				}
			} else {
				p.fault(c, "Wrong type", "A key is a name, not %s.", config.KindOf(key))
			}
		}
		p.check(c, anchors)
	}
	if n.Kind == yaml.MappingNode {
		p.flatten(n)
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

func (p *pyReader) checkSequence(n *yaml.Node) {
	switch tag := pyTag(n); tag {
	case "!!seq":
	case "!!omap", "!!pairs":
		for _, c := range n.Content {
			if pair := config.Unaliased(c); pair.Kind != yaml.MappingNode || len(pair.Content) != 2 {
				p.fault(c, "Invalid value", "A list tagged %s holds mappings of one key each.", tag)
			}
		}
	default:
		p.fault(n, "Invalid value", "A list cannot be tagged %s.", tag)
	}
}

// pyScalar says why Python cannot make a value of a scalar; "" if it can.
func pyScalar(n *yaml.Node) string {
	tag := pyTag(n)
	ok := false
	digits := strings.ReplaceAll(n.Value, "_", "")
	switch tag {
	case "!!str", "!!null":
		ok = true
	case "!!bool":
		ok = pyPlain[0].pattern.MatchString(strings.ToLower(n.Value))
	case "!!int":
		ok = pyInt.MatchString(digits)
	case "!!float":
		unsigned := strings.ToLower(strings.TrimLeft(digits, "+-"))
		_, err := strconv.ParseFloat(digits, 64)
		ok = unsigned == ".inf" || unsigned == ".nan" || err == nil || pySixty.MatchString(digits)
	case "!!timestamp":
		ok = pyIsTime(n.Value)
	case "!!binary":
		_, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		ok = err == nil
	default:
		return fmt.Sprintf("%q cannot be read: nothing is known of the tag %s", n.Value, tag)
	}
	if ok {
		return ""
	}
	what := map[string]string{"!!bool": "true or false", "!!int": "a number", "!!float": "a number", "!!timestamp": "a date", "!!binary": "base64"}[tag]
	return fmt.Sprintf("%q is written like %s, but it is none; put it in quotes if it is text", n.Value, what)
}

// pyIsTime says that a date exists: Python fails on the 31st of February.
func pyIsTime(s string) bool {
	m := pyTimestamp.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	date, err := time.Parse("2006-1-2", m[1])
	if err != nil || date.Year() < 1 {
		return false
	}
	if m[2] != "" {
		if _, err := time.Parse("15:4:5", m[2]); err != nil {
			return false
		}
	}
	hours, _ := strconv.Atoi(m[3]) // No more than two digits, or none.
	minutes, _ := strconv.Atoi(m[4])
	return hours*60+minutes < 24*60
}

// pyIsString says that a node is a Python string; as a key "=" is one, too.
func pyIsString(n *yaml.Node) bool {
	tag := pyTag(n)
	return n.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!value")
}

// field returns the value of a mapping's key, or nil.
func (p *pyReader) field(n *yaml.Node, name string) *yaml.Node {
	for _, pair := range p.flatten(n) {
		if pair.key.Value == name && pyIsString(pair.key) {
			return pair.value
		}
	}
	return nil
}

// isMapping says that a node is a Python dict.
func isMapping(n *yaml.Node) bool { return n.Kind == yaml.MappingNode && pyTag(n) == "!!map" }
