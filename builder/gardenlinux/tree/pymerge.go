package tree

import (
	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright/builder/config"
)

// measure counts the values that are written, and finds what is too deep for
// code that recurses, or is too much.
func (p *pyReader) measure(n *yaml.Node) {
	p.depth++
	defer func() { p.depth-- }()
	switch p.values++; {
	case p.diags.HasErrors():
		return
	case p.depth > config.MaxDepth:
		p.diags = append(p.diags, config.Fault(p.Start(n), config.SummaryTooDeep, "Values may be nested %d levels deep.", config.MaxDepth))
	case p.values > config.MaxTokens:
		p.diags = append(p.diags, config.Fault(p.Start(n), config.SummaryTooLarge, "A file may hold %d values; this one has more.", config.MaxTokens))
	}
	for _, c := range n.Content {
		p.measure(c)
	}
}

// flatten returns a mapping's entries whose keys are strings as a Python dict
// holds them: what a merge key brings in comes first, and of a key that comes twice
// the last value stands at the first one's place.
func (p *pyReader) flatten(n *yaml.Node) []pyPair {
	if pairs, ok := p.flat[n]; ok {
		return pairs
	}
	p.flat[n] = nil // What merges itself gains nothing from that.
	var merged, own []pyPair
	merge := func(pairs []pyPair) {
		if p.merged += len(pairs); p.merged <= config.MaxTokens {
			merged = append(merged, pairs...)
		} else if p.merged-len(pairs) <= config.MaxTokens {
			p.fault(n, config.SummaryTooLarge, "With this one, merge keys bring in more than %d entries.", config.MaxTokens)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := config.Unaliased(n.Content[i]), config.Unaliased(n.Content[i+1])
		if key.Kind != yaml.ScalarNode || pyTag(key) != "!!merge" {
			own = append(own, pyPair{key, value})
			continue
		}
		switch {
		case value.Kind == yaml.MappingNode:
			merge(p.flatten(value))
		case value.Kind == yaml.SequenceNode:
			for i := len(value.Content) - 1; i >= 0; i-- {
				if c := config.Unaliased(value.Content[i]); c.Kind == yaml.MappingNode {
					merge(p.flatten(c))
				} else {
					p.fault(value.Content[i], "Invalid merge", "Only mappings can be merged, not %s.", config.KindOf(c))
				}
			}
		default:
			p.fault(n.Content[i+1], "Invalid merge", "Only mappings can be merged, not %s.", config.KindOf(value))
		}
	}
	at := map[string]int{}
	var pairs []pyPair
	for _, pair := range append(merged, own...) {
		if !pyIsString(pair.key) {
			continue // It is not used.
		}
		if i, seen := at[pair.key.Value]; seen {
			pairs[i].value = pair.value
			continue
		}
		at[pair.key.Value] = len(pairs)
		pairs = append(pairs, pair)
	}
	p.flat[n] = pairs
	return pairs
}

// field returns the value of a mapping's key, or nil.
func (p *pyReader) field(n *yaml.Node, name string) *yaml.Node {
	for _, pair := range p.flatten(n) {
		if pair.key.Value == name {
			return pair.value
		}
	}
	return nil
}
