package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// plurals are the keys in place of blocks in YAML.
var plurals = map[string]string{
	"variable": tagOf[flavourFile]("Variables", "yaml"),
	"flavour":  tagOf[flavourFile]("Flavours", "yaml"),
	"source":   tagOf[distributionBlock]("Sources", "yaml"),
}

// maxMatrix bounds the flavours of one matrix.
const maxMatrix = 1000

// draft is a flavour as one block, and one combination of its matrix, writes
// it. What is nil was not written there.
type draft struct {
	block   *flavourBlock
	name    string
	at      hcl.Range // of the name
	unnamed bool      // the name is at fault

	description, extends                 *text
	abstract                             bool
	distribution                         hcl.Range // of the block, or of the name
	family, suite, arch, mirror, keyring *text
	ca                                   *text
	components, architectures            []text

	security, updates, backports *decision
	securityMirror               *text
	sources                      []*sourceDraft

	features, add, remove []text
	// open reports that some of the features are at fault, so that what seems to
	// be missing may not be.
	open     bool
	settings []Setting
	content  contentDraft
	sign     *signDraft
	verity   veritySigning
}

// drafts evaluates all flavour blocks, with every combination of a matrix. Only
// the first flavour of a name is kept.
func (l *loader) drafts(files []*flavourFile, s *scope) []*draft {
	var all []*draft
	byName := map[string]*draft{}
	for _, f := range files {
		for _, b := range f.Flavours {
			combinations, ok := l.combinations(b, s)
			if !ok {
				// Look for the block's other faults all the same, passing over
				// what the matrix should have given.
				l.unreadable = true
				open := *s
				open.lenient = true
				l.draft(b, &open)
			}
			for _, combination := range combinations {
				if len(all) >= MaxFlavours {
					l.stop(Fault(b.LabelRange, "Tree too large", "A tree may have %d flavours, and those from here on were not evaluated.", MaxFlavours))
				}
				d := l.draft(b, s.with("matrix", combination))
				first := byName[d.name]
				switch {
				case d.unnamed:
					l.unreadable = true
				case first == nil:
					byName[d.name] = d
				case first.block == b:
					l.say(Fault(d.at, "Duplicate flavour", "Several combinations of the matrix are called %q. Give the flavour a name that contains every value of the matrix, such as %s.", d.name, InSyntax(d.at, "name", fmt.Sprintf("%q", template(b, combination)))))
					continue
				default:
					l.say(Fault(d.at, "Duplicate flavour", "There is a flavour %q already at %s.", d.name, PlaceOf(first.at)))
					continue
				}
				all = append(all, d)
			}
		}
	}
	return all
}

// template makes up a name that differs for every combination of a matrix.
func template(b *flavourBlock, combination map[string]cty.Value) string {
	name := b.Label
	for _, key := range slices.Sorted(maps.Keys(combination)) {
		name += fmt.Sprintf("-${matrix.%s}", key)
	}
	return name
}

// combinations multiplies a matrix out; without one there is one empty
// combination. False means that the matrix is at fault.
func (l *loader) combinations(b *flavourBlock, s *scope) ([]map[string]cty.Value, bool) {
	none := []map[string]cty.Value{{}}
	if b.Matrix == nil {
		return none, true
	}
	at := b.Matrix.Expr.Range()
	v, diags := s.value(b.Matrix.Expr)
	l.say(diags...)
	switch {
	case !v.IsWhollyKnown():
		return nil, false
	case v.IsNull():
		return none, true
	case !v.Type().IsObjectType() && !v.Type().IsMapType():
		l.say(wrongType(at, b.Matrix.Name, "a mapping of names to lists of strings", v))
		return nil, false
	}
	places := valueRanges(b.Matrix.Expr)
	combinations := none
	axes := v.AsValueMap()
	for _, axis := range slices.Sorted(maps.Keys(axes)) {
		at := at
		if r, ok := places[axis]; ok {
			at = r
		}
		if axes[axis].IsNull() {
			l.say(wrongType(at, "matrix."+axis, aListOfStrings, axes[axis]))
			return nil, false
		}
		list, problem := typed(axes[axis], List)
		if problem != "" {
			l.say(Fault(at, "Wrong type", "%q in a matrix has to be %s%s", axis, problem, writtenAsList(at, axes[axis])))
			return nil, false
		}
		values := list.([]string)
		if len(values) == 0 {
			l.say(Fault(at, "Empty list", "Without a value for %q the matrix makes no flavour.", axis))
			return nil, false
		}
		if len(values)*len(combinations) > maxMatrix {
			l.say(Fault(at, "Matrix too large", "A matrix makes %d flavours at most.", maxMatrix))
			return nil, false
		}
		var more []map[string]cty.Value
		for _, c := range combinations {
			for _, value := range values {
				next := maps.Clone(c)
				next[axis] = cty.StringVal(value)
				more = append(more, next)
			}
		}
		combinations = more
	}
	return combinations, true
}

// valueRanges are the places of a mapping's values, where it is written out.
func valueRanges(expr hcl.Expression) map[string]hcl.Range {
	places := map[string]hcl.Range{}
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return places
	}
	for _, p := range pairs {
		if k, ds := p.Key.Value(nil); !ds.HasErrors() && k.IsKnown() && !k.IsNull() && k.Type() == cty.String {
			places[k.AsString()] = p.Value.Range()
		}
	}
	return places
}

// draft evaluates a block and checks whatever can be judged by itself.
func (l *loader) draft(b *flavourBlock, s *scope) *draft {
	d := &draft{block: b, name: b.Label, at: b.LabelRange}
	d.distribution = d.at
	str := func(attr stringAttr) *text {
		t, diags := s.str(attr)
		l.say(diags...)
		return t
	}
	if name := str(b.Name); name != nil {
		d.name, d.at, d.unnamed = name.value, name.at, name.bad
	}
	if !d.unnamed && !flavourPattern.MatchString(d.name) {
		l.say(Fault(d.at, "Invalid name", "%q cannot be a flavour's name: letters, digits, ., _ and - can, beginning with a letter or digit.", d.name))
	}
	d.description, d.extends = str(b.Description), str(b.Extends)
	abstract, diags := s.boolean(b.Abstract)
	l.say(diags...)
	d.abstract = abstract
	if dist := b.Distribution; dist != nil {
		d.distribution = dist.Range
		d.family, d.suite, d.arch = str(dist.Family), str(dist.Suite), str(dist.Arch)
		d.mirror, d.keyring = str(dist.Mirror), str(dist.Keyring)
		d.ca = l.authority(s, dist.CA, nil)
		d.architectures, _, diags = s.list(dist.Architectures)
		l.say(diags...)
		d.components, _, diags = s.list(dist.Components)
		l.say(diags...)
		l.checkDistribution(d)
		l.readSources(d, s)
	}
	d.open = misused(b.Body, "features")
	if d.suite == nil && (misused(b.Body, "distribution") || b.Distribution != nil && misused(b.Distribution.Body, "suite")) {
		d.suite = &text{at: d.distribution, bad: true}
	}
	d.features = l.featureList(d, s, b.Features)
	d.add = l.featureList(d, s, b.AddFeatures)
	d.remove = l.removals(d, s, b.RemoveFeatures)
	l.settings(d, s)
	d.content = l.content(b, s)
	d.sign = l.readSign(b.Sign, s)
	d.verity = l.verity(b.Sign, s)
	return d
}

// featureList reads a list of features. It is nil only if not written.
func (l *loader) featureList(d *draft, s *scope, attr listAttr) []text {
	list, bad, diags := s.list(attr)
	l.say(diags...)
	d.open = d.open || bad
	if list == nil {
		return nil
	}
	kept := []text{}
	at := map[string]int{}
	for _, t := range list {
		if i, again := at[t.value]; again {
			l.namedTwice(kept[i], t)
			continue
		}
		if t.value = l.known(t.value, t.at); t.value == "" {
			d.open = true
			continue
		}
		if _, again := at[t.value]; !again {
			at[t.value] = len(kept)
			kept = append(kept, t)
		}
	}
	return kept
}

// namedTwice reports a feature that is in a list already.
func (l *loader) namedTwice(first, t text) {
	where := PlaceOf(first.at)
	if first.at == t.at {
		where = "the same place"
	}
	l.say(Fault(t.at, "Feature named twice", "%q is named already at %s.", t.value, where))
}

// removals are not looked up among the features: one that is not in the
// extended flavour's list is at fault anyway, with a better suggestion.
func (l *loader) removals(d *draft, s *scope, attr listAttr) []text {
	list, bad, diags := s.list(attr)
	l.say(diags...)
	d.open = d.open || bad
	return list
}

func (l *loader) settings(d *draft, s *scope) {
	places := map[string]hcl.Range{}
	for _, set := range d.block.Set {
		if first, dup := places[set.Feature]; dup {
			l.say(Fault(set.FeatureRange, "Duplicate block", "Parameters of feature %q are set already at %s.", set.Feature, PlaceOf(first)))
			continue
		}
		places[set.Feature] = set.FeatureRange
		feature := l.project.Features[l.known(set.Feature, set.FeatureRange)]
		for _, attr := range inOrder(set.Values) {
			v, diags := s.value(attr.Expr)
			l.say(diags...)
			if feature != nil && !l.uncertain[feature.Name][""] {
				l.setting(d, feature, set.FeatureRange, attr, v, s.outside.of(attr.Expr))
			}
		}
	}
}

func (l *loader) setting(d *draft, f *Feature, featureRange hcl.Range, attr *hcl.Attribute, v cty.Value, from []string) {
	i := slices.IndexFunc(f.Parameters, func(p Parameter) bool { return p.Name == attr.Name })
	if i < 0 {
		var names []string
		for _, p := range f.Parameters {
			names = append(names, p.Name)
		}
		hint := DidYouMean(attr.Name, names)
		if hint == "" && len(names) > 0 {
			hint = fmt.Sprintf(" It has %s.", strings.Join(names, ", "))
		}
		l.say(Fault(attr.NameRange, "Unknown parameter", "Feature %q has no parameter %q.%s", f.Name, attr.Name, hint))
		return
	}
	p := &f.Parameters[i]
	// Null means "not written", here as everywhere.
	if l.uncertain[f.Name][p.Name] || !v.IsWhollyKnown() || v.IsNull() {
		return
	}
	at := attr.Expr.Range()
	if value := l.value(p, fmt.Sprintf("Parameter %q of feature %q", p.Name, f.Name), v, attr.Expr, false); value != nil {
		d.settings = append(d.settings, Setting{Feature: f.Name, Name: p.Name, Value: value, FeatureRange: featureRange, Range: at, Elements: elementRanges(attr.Expr, value), Outside: from})
	}
}
