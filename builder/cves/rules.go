package cves

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright/builder/config"
)

// RulesFile is the file of a configuration tree with the faults that are ignored.
const RulesFile = "cves.yaml"

// Rule is a decision to ignore a fault.
type Rule struct {
	ID, Package, Reason string
	// Until is the last day on which the rule holds, as YYYY-MM-DD; "" for always.
	Until string
	// Flavours are those that the rule is for; nil for all.
	Flavours []string
	Range    hcl.Range
}

// For returns the rules for a flavour.
func For(rules []Rule, flavour string) []Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return r.Flavours != nil && !slices.Contains(r.Flavours, flavour) })
}

var (
	ruleKeys = []string{"id", "package", "reason", "until", "flavours"}
	idForm   = regexp.MustCompile(`^(CVE-[0-9]{4}-[0-9]{4,}|TEMP-[0-9]+-[0-9A-F]+)$`)
	dayForm  = time.DateOnly
)

// ReadRules reads the file of that name. Flavours are the names that exist.
func ReadRules(name string, text []byte, flavours []string) ([]Rule, hcl.Diagnostics) {
	r := ruleReader{YAMLSource: config.NewYAMLSource(name, text), flavours: flavours}
	documents, err := config.ReadYAML(text)
	switch {
	case err != nil:
		return nil, hcl.Diagnostics{r.SyntaxFault(err)}
	case len(documents) == 0:
		return nil, nil
	case len(documents) > 1:
		r.fault(documents[1], "More than one document", "A file holds one YAML document; this is a second one.")
		return nil, r.diags
	}
	top := documents[0].Content[0]
	if top.Kind != yaml.MappingNode {
		r.fault(top, "Unexpected content", "The file has one key, ignore, with a list of rules.")
		return nil, r.diags
	}
	for i := 0; i < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		switch {
		case key.Value != "ignore":
			r.fault(key, "Unknown key", "There is no key %q here.%s The only one is ignore.", key.Value, config.DidYouMean(key.Value, []string{"ignore"}))
		case value.Kind != yaml.SequenceNode:
			r.fault(value, "Not a list", "ignore is a list of rules, each with id, package and reason.")
		default:
			for _, node := range value.Content {
				r.rule(node)
			}
		}
	}
	return r.rules, r.diags
}

// ruleReader reads rules and collects faults.
type ruleReader struct {
	*config.YAMLSource
	flavours []string
	rules    []Rule
	diags    hcl.Diagnostics
}

// fault adds a fault at the line on which a node begins.
func (r *ruleReader) fault(node *yaml.Node, summary, format string, args ...any) {
	r.diags = append(r.diags, config.Fault(r.Start(node), summary, format, args...))
}

// rule reads a rule.
func (r *ruleReader) rule(node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		r.fault(node, "Not a rule", "A rule is a mapping with id, package and reason.")
		return
	}
	rule := Rule{Range: r.Start(node)}
	before := len(r.diags)
	var seen []string
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if slices.Contains(seen, key.Value) {
			r.fault(key, "Key twice", "The rule has %s already.", key.Value)
		}
		seen = append(seen, key.Value)
		r.field(&rule, key, value)
	}
	for _, field := range []struct{ name, value string }{{"id", rule.ID}, {"package", rule.Package}, {"reason", rule.Reason}} {
		if strings.TrimSpace(field.value) == "" && len(r.diags) == before {
			r.fault(node, "Missing "+field.name, "A rule needs id, package (the source package) and reason; this one has no %s.", field.name)
		}
	}
	for _, other := range r.rules {
		if other.ID == rule.ID && other.Package == rule.Package && (other.Flavours == nil || rule.Flavours == nil) && len(r.diags) == before {
			r.fault(node, "Rule twice", "%s of %s has a rule in line %d already.", rule.ID, rule.Package, other.Range.Start.Line)
		}
	}
	if len(r.diags) == before {
		r.rules = append(r.rules, rule)
	}
}

// field reads a field of a rule.
func (r *ruleReader) field(rule *Rule, key, value *yaml.Node) {
	if !slices.Contains(ruleKeys, key.Value) {
		r.fault(key, "Unknown key", "A rule has no %q.%s It has %s.", key.Value, config.DidYouMean(key.Value, ruleKeys), strings.Join(ruleKeys, ", "))
		return
	}
	if key.Value == "flavours" {
		if value.Decode(&rule.Flavours) != nil || len(rule.Flavours) == 0 {
			r.fault(value, "Not a list", "flavours is a list of names of flavours.")
		}
		for _, f := range rule.Flavours {
			if !slices.Contains(r.flavours, f) {
				r.fault(value, "Unknown flavour", "There is no flavour %q.%s", f, config.DidYouMean(f, r.flavours))
			}
		}
		return
	}
	if value.Kind != yaml.ScalarNode {
		r.fault(value, "Not a string", "%s is a string.", key.Value)
		return
	}
	switch key.Value {
	case "id":
		if rule.ID = value.Value; !idForm.MatchString(rule.ID) {
			r.fault(value, "Not an ID", "%q is not the ID of a fault, such as CVE-2026-1234.", rule.ID)
		}
	case "package":
		rule.Package = value.Value
	case "reason":
		rule.Reason = value.Value
	case "until":
		rule.Until = value.Value
		if _, err := time.Parse(dayForm, rule.Until); err != nil {
			r.fault(value, "Not a date", "%q is not a date such as 2026-12-31.", rule.Until)
		}
	}
}

// ignore applies the rule for a finding.
func ignore(f *Finding, rules []Rule, used []bool, day string) {
	for i, r := range rules {
		if r.ID != f.ID || r.Package != f.Source {
			continue
		}
		used[i] = true
		if r.Until == "" || day <= r.Until {
			f.State, f.Reason, f.Until = Ignored, r.Reason, r.Until
		}
	}
}

// stale returns warnings of rules that are over, or that ignore nothing.
func stale(rules []Rule, used []bool, day string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, r := range rules {
		switch {
		case r.Until != "" && day > r.Until:
			diags = append(diags, config.Warning(r.Range, "Rule that is over", "The rule for %s of %s held until %s: the fault is not ignored any more.", r.ID, r.Package, r.Until))
		case !used[i]:
			diags = append(diags, config.Warning(r.Range, "Rule without use", "%s of %s is not a fault of what was looked at: the package is fixed, is not there or has another source package, or the tracker thinks otherwise now. Remove the rule, or limit it with flavours.", r.ID, r.Package))
		}
	}
	return diags
}
