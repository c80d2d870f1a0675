package config

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"
)

// YAMLSource is a YAML file with what is needed to turn yaml.Nodes into places
// in it.
type YAMLSource struct {
	name string
	src  []byte
	// lines are the offsets at which lines start as YAML counts them, newlines
	// those at which they start as everybody else does: YAML knows more line
	// breaks than "\n".
	lines, newlines []int
	runes           *runeIndex
	// budget is what templates in strings pay from; without one they are plain
	// text.
	budget *budget
	// plurals map block types to the keys in place of them.
	plurals map[string]string
}

// NewYAMLSource prepares a text for questions about places.
func NewYAMLSource(name string, src []byte) *YAMLSource {
	return &YAMLSource{name: name, src: src, lines: lineStarts(src, yamlBreak), newlines: lineStarts(src, newlineBreak), runes: newRuneIndex(src)}
}

// parseYAML reads a file in YAML, as a body of the top level's keys. Keys that
// ignore approves are left out. The body is nil if the syntax is at fault. With a
// budget, strings are templates that pay from it. It also returns how many values
// there are.
func parseYAML(name string, src []byte, pays *budget, plurals map[string]string, ignore func(string) bool) (*body, int, hcl.Diagnostics) {
	s := NewYAMLSource(name, src)
	s.budget, s.plurals = pays, plurals
	documents, err := ReadYAML(src)
	if err != nil {
		return nil, 0, hcl.Diagnostics{cmp.Or(hclAsYAML(name, src), s.SyntaxFault(err))}
	}
	if len(documents) == 0 {
		return &body{missing: s.Whole()}, 0, nil
	}
	if len(documents) > 1 {
		return nil, 0, hcl.Diagnostics{Fault(s.Start(documents[1]), "More than one document", "A file holds one YAML document; this is a second one.")}
	}
	root := documents[0].Content[0]
	values, diags := s.check(root)
	if diags.HasErrors() && s.unusable(diags) {
		return nil, values, diags
	}
	root = Unaliased(root)
	if root.Kind != yaml.MappingNode && !isNull(root) {
		if d := hclAsYAML(name, src); d != nil {
			return nil, values, hcl.Diagnostics{d}
		}
		return nil, values, append(diags, Fault(s.RangeOf(root), "Wrong type", "A file holds a mapping of keys to values, not %s.", KindOf(root)))
	}
	b := s.body(root, s.Whole())
	kept := b.entries[:0]
	for _, e := range b.entries {
		if !ignore(e.name) {
			kept = append(kept, e)
		}
	}
	b.entries = kept
	return b, values, diags
}

// ReadYAML reads at most two documents: one is what there may be, and the
// second is where the fault is.
func ReadYAML(src []byte) ([]*yaml.Node, error) {
	var documents []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	for len(documents) < 2 {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
			break
		}
		documents = append(documents, &n)
	}
	return documents, nil
}

// check looks at a whole document once, before anything follows its aliases:
// cycles, size, keys that are not strings or written twice. Later code can then
// recurse freely. It returns how many values there are once aliases are followed:
// a few lines of aliases to aliases can mean billions.
func (s *YAMLSource) check(root *yaml.Node) (int, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	sizes := map[*yaml.Node]int{}
	const open = -1
	depth := 0
	var size func(n *yaml.Node) int
	size = func(n *yaml.Node) int {
		if depth++; depth == MaxDepth+1 {
			diags = append(diags, Fault(s.Start(n), SummaryTooDeep, "Values may be nested %d levels deep.", MaxDepth))
		}
		defer func() { depth-- }()
		if depth > MaxDepth || len(diags) > MaxFaults {
			return 1
		}
		if n.Kind == yaml.AliasNode {
			if sizes[n.Alias] == open {
				diags = append(diags, Fault(s.RangeOf(n), summaryAliasCycle, "The value named &%s contains itself.", n.Value))
				return 1
			}
			return size(n.Alias)
		}
		if known, ok := sizes[n]; ok {
			return known
		}
		sizes[n] = open
		if n.Kind == yaml.MappingNode {
			diags = append(diags, s.checkKeys(n)...)
		}
		total := 1
		for _, c := range n.Content {
			if total = min(total+size(c), MaxTokens+1); total > MaxTokens {
				break
			}
		}
		sizes[n] = total
		return total
	}
	total := size(root)
	if total > MaxTokens {
		diags = append(diags, Fault(s.Whole(), SummaryTooLarge, "With its aliases followed, the document holds more than %d values.", MaxTokens))
	}
	return total, diags
}

// Summaries of faults that keep a document from being walked.
const (
	summaryAliasCycle = "Alias cycle"
	SummaryTooLarge   = "Document too large"
	SummaryTooDeep    = "Nested too deeply"
)

// unusable reports that a document must not be walked.
func (s *YAMLSource) unusable(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		if d.Summary == summaryAliasCycle || d.Summary == SummaryTooLarge || d.Summary == SummaryTooDeep {
			return true
		}
	}
	return false
}

func (s *YAMLSource) checkKeys(n *yaml.Node) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := Unaliased(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			diags = append(diags, Fault(s.RangeOf(n.Content[i]), "Wrong type", "A key is a name, not %s.", KindOf(key)))
		case key.ShortTag() == "!!merge":
			diags = append(diags, Fault(s.RangeOf(key), "Merge keys are not supported", "Use extends to build one flavour on another, or an alias for a whole value."))
		case first[key.Value] != nil:
			diags = append(diags, duplicateField(key.Value, s.RangeOf(first[key.Value]), s.RangeOf(n.Content[i])))
		default:
			first[key.Value] = key
		}
	}
	return diags
}

// Unaliased follows an alias.
func Unaliased(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// KindOf names what a node is, for messages.
func KindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	}
	return "a string"
}

func newlineBreak(src []byte) int {
	if src[0] == '\n' {
		return 1
	}
	return 0
}

// yamlBreak is the length of the line break at the front of src: those of YAML
// 1.1, which the parser follows.
func yamlBreak(src []byte) int {
	switch {
	case bytes.HasPrefix(src, []byte("\r\n")):
		return 2
	case src[0] == '\n', src[0] == '\r':
		return 1
	case bytes.HasPrefix(src, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(src, []byte("\u2028")), bytes.HasPrefix(src, []byte("\u2029")):
		return 3
	}
	return 0
}

func lineStarts(src []byte, lineBreak func([]byte) int) []int {
	starts := []int{0}
	for i := 0; i < len(src); {
		if n := lineBreak(src[i:]); n > 0 {
			i += n
			starts = append(starts, i)
			continue
		}
		i++
	}
	return starts
}

// Offset is where a node begins; the parser counts columns in characters.
func (s *YAMLSource) Offset(n *yaml.Node) int {
	line := min(max(n.Line, 1), len(s.lines))
	return s.runes.find(s.runes.count(s.lines[line-1]) + max(n.Column-1, 0))
}

func (s *YAMLSource) pos(offset int) hcl.Pos {
	line := sort.SearchInts(s.newlines, offset+1)
	column := s.runes.count(offset) - s.runes.count(s.newlines[line-1]) + 1
	return hcl.Pos{Line: line, Column: column, Byte: offset}
}

// Between is the range of two offsets.
func (s *YAMLSource) Between(start, end int) hcl.Range {
	start = min(start, len(s.src))
	end = min(max(end, start), len(s.src))
	return hcl.Range{Filename: s.name, Start: s.pos(start), End: s.pos(end)}
}

// Whole is the place of faults that are nowhere in particular.
func (s *YAMLSource) Whole() hcl.Range { return FileStart(s.name) }

// Start is the place where a node begins.
func (s *YAMLSource) Start(n *yaml.Node) hcl.Range {
	at := s.Offset(n)
	return s.Between(at, at)
}

// RangeOf is the extent of a node, which the parser does not tell: worked out
// from the text for scalars, from the last child for the rest.
func (s *YAMLSource) RangeOf(n *yaml.Node) hcl.Range {
	at := s.Offset(n)
	return s.Between(at, s.end(n, at))
}

func (s *YAMLSource) end(n *yaml.Node, at int) int {
	switch n.Kind {
	case yaml.AliasNode:
		return at + len("*") + len(n.Value)
	case yaml.ScalarNode:
		rest := s.src[at:]
		if quote := n.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle); quote != 0 {
			if end := QuotedEnd(rest); end > 0 {
				return at + end
			}
		} else if n.Value != "" && bytes.HasPrefix(rest, []byte(n.Value)) {
			return at + len(n.Value)
		}
		if n.Value == "" && n.Style == 0 {
			return at
		}
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		return at + len(bytes.TrimRight(line, " \t\r"))
	}
	end := at
	if len(n.Content) > 0 {
		last := n.Content[len(n.Content)-1]
		end = s.end(last, s.Offset(last))
	} else if n.Style&yaml.FlowStyle != 0 {
		end = at + 1
	}
	if n.Style&yaml.FlowStyle != 0 {
		rest := bytes.TrimLeft(s.src[end:], " \t\r\n,")
		if len(rest) > 0 && (rest[0] == ']' || rest[0] == '}') {
			end = len(s.src) - len(rest) + 1
		}
	}
	return max(end, at)
}

// QuotedEnd is the length of the quoted string at the front of src.
func QuotedEnd(src []byte) int {
	if len(src) == 0 || src[0] != '"' && src[0] != '\'' {
		return 0
	}
	quote := src[0]
	for i := 1; i < len(src); i++ {
		switch {
		case quote == '"' && src[i] == '\\':
			i++
		case src[i] == quote && quote == '\'' && i+1 < len(src) && src[i+1] == quote:
			i++
		case src[i] == quote:
			return i + 1
		}
	}
	return 0
}
