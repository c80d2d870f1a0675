package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/treewright/treewright/builder/diag"
)

// envPrefix begins the environment variables that set ours.
const envPrefix = "TREEWRIGHT_VAR_"

// globals works out the variables and locals of all flavour files together:
// they are the project's, so that a file can use what another declares.
func (l *loader) globals(files []*flavourFile) *scope {
	root := &scope{ctx: &hcl.EvalContext{Functions: l.budget.functions()}, lenient: l.unreadable, budget: l.budget, outside: &givenOutside{map[string]string{}, map[string]hcl.Expression{}}}
	vars := l.variables(files, root)
	return l.locals(files, root.with("var", vars))
}

func (l *loader) variables(files []*flavourFile, root *scope) map[string]cty.Value {
	values := map[string]cty.Value{}
	places := map[string]hcl.Range{}
	for _, f := range files {
		for _, b := range f.Variables {
			if first, dup := places[b.Name]; dup {
				l.say(Fault(b.NameRange, "Duplicate variable", "Variable %q is declared already at %s.", b.Name, PlaceOf(first)))
				continue
			}
			places[b.Name] = b.NameRange
			if !variablePattern.MatchString(b.Name) {
				l.say(Fault(b.NameRange, "Invalid name", "%q cannot be a variable's name: letters, digits, _ and - can, beginning with a letter or _.", b.Name))
			}
			values[b.Name] = l.variable(b, root)
		}
	}
	l.unknownVariables(places)
	return values
}

// unknownVariables looks for values given to no variable. On the command line
// that is a mistake; the environment may be meant for several projects.
func (l *loader) unknownVariables(known map[string]hcl.Range) {
	if l.unreadable {
		return
	}
	names := slices.Sorted(maps.Keys(known))
	for name := range l.opts.Vars {
		if _, ok := known[name]; !ok {
			l.say(&hcl.Diagnostic{Severity: hcl.DiagError, Extra: diag.OfRequest{}, Summary: "Unknown variable",
				Detail: "No flavour file declares the variable " + strconv.Quote(name) + " that is given a value on the command line." + cmp.Or(DidYouMean(name, names), l.ofParameter(name))})
		}
	}
	for key := range l.opts.Env {
		name, ours := strings.CutPrefix(key, envPrefix)
		if _, ok := known[name]; ours && !ok {
			l.say(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Unknown variable",
				Detail: "No flavour file declares the variable " + strconv.Quote(name) + " that the environment sets with " + key + "." + DidYouMean(name, names)})
		}
	}
}

// ofParameter explains a name that is that of a parameter, where a variable is expected.
func (l *loader) ofParameter(name string) string {
	for _, feature := range l.featureNames() {
		if slices.ContainsFunc(l.project.Features[feature].Parameters, func(p Parameter) bool { return p.Name == name }) {
			return fmt.Sprintf(" It is a parameter of feature %q, which the flavour sets, in set.", feature)
		}
	}
	return ""
}

// variable works out what a variable is worth: unknown if that is at fault.
func (l *loader) variable(b *variableBlock, root *scope) cty.Value {
	_, diags := root.str(b.Description)
	l.say(diags...)
	kind, diags := root.str(b.Type)
	l.say(append(diags, oneOf("type", kind, variableTypes)...)...)

	fallback := cty.NilVal
	if b.Default != nil {
		v, diags := root.value(b.Default.Expr)
		l.say(diags...)
		if !v.IsWhollyKnown() {
			return cty.DynamicVal
		}
		if !v.IsNull() {
			fallback = v
		}
	}
	want := String
	switch {
	case kind != nil && kind.bad:
		return cty.DynamicVal
	case kind != nil:
		want = ParameterType(kind.value)
	case fallback != cty.NilVal:
		want = typeOf(fallback)
	}
	if fallback != cty.NilVal {
		if _, problem := typed(fallback, want); problem != "" {
			l.say(Fault(b.Default.Expr.Range(), "Wrong type", "The default of variable %q has to be %s", b.Name, problem))
			return cty.DynamicVal
		}
	}

	given, from := l.opts.Vars[b.Name], "--var "+b.Name
	if _, ok := l.opts.Vars[b.Name]; !ok {
		from = envPrefix + b.Name
		if given, ok = l.opts.Env[from]; !ok {
			if fallback == cty.NilVal {
				l.say(Fault(b.NameRange, "Variable without a value",
					"Variable %q has no default, so a value must be given: --var %s=VALUE, or %s in the environment.", b.Name, b.Name, from))
				return cty.DynamicVal
			}
			return fallback
		}
	}
	root.outside.given[b.Name] = from
	v, ok := fromText(given, want)
	if !ok {
		d := Fault(b.NameRange, "Wrong type", "Variable %q takes a value of type %s, not %q, which %s gives it.", b.Name, want, given, from)
		if !strings.HasPrefix(from, envPrefix) {
			d.Extra = diag.OfRequest{}
		}
		l.say(d)
		return cty.DynamicVal
	}
	return v
}

// fromText reads a value given from outside.
func fromText(given string, want ParameterType) (cty.Value, bool) {
	switch want {
	case Bool:
		if given != "true" && given != "false" {
			return cty.NilVal, false
		}
		return cty.BoolVal(given == "true"), true
	case Int:
		n, err := strconv.ParseInt(given, 10, 64)
		return cty.NumberIntVal(n), err == nil
	case List:
		values := []cty.Value{}
		for item := range strings.SplitSeq(given, ",") {
			if item = strings.TrimSpace(item); item != "" {
				values = append(values, cty.StringVal(item))
			}
		}
		return cty.TupleVal(values), true
	}
	return cty.StringVal(given), true
}

// maxChain is how many locals may have to be worked out for the sake of one that
// is written before them.
const maxChain = 5000

// localSet evaluates locals, each after those it refers to.
type localSet struct {
	loader *loader
	scope  *scope
	attrs  map[string]*hcl.Attribute
	values map[string]cty.Value
	// path are the locals being evaluated, each needed by the one before; at says
	// where each is in it.
	path []string
	at   map[string]int
}

func (l *loader) locals(files []*flavourFile, vars *scope) *scope {
	set := &localSet{loader: l, scope: vars, attrs: map[string]*hcl.Attribute{}, values: map[string]cty.Value{}, at: map[string]int{}}
	var all []*hcl.Attribute
	for _, f := range files {
		for _, b := range f.Locals {
			all = append(all, inOrder(b.Values)...)
		}
	}
	for _, a := range all {
		if first := set.attrs[a.Name]; first != nil {
			l.say(Fault(a.NameRange, "Duplicate local", "Local %q is declared already at %s.", a.Name, PlaceOf(first.NameRange)))
			continue
		}
		if !variablePattern.MatchString(a.Name) {
			l.say(Fault(a.NameRange, "Invalid name", "%q cannot be a local's name: letters, digits, _ and - can, beginning with a letter or _.", a.Name))
		}
		set.attrs[a.Name] = a
		vars.outside.locals[a.Name] = a.Expr
	}
	declared := slices.Clone(vars.more)
	for name := range set.attrs {
		declared = append(declared, "local."+name)
	}
	set.scope = vars.with("local", nil)
	set.scope.more = declared
	for _, a := range all {
		set.evaluate(a.Name)
	}
	return vars.with("local", set.values)
}

// inOrder lists attributes as they were written.
func inOrder(attrs hcl.Attributes) []*hcl.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hcl.Attribute) int {
		return cmp.Compare(a.NameRange.Start.Byte, b.NameRange.Start.Byte)
	})
}

func (s *localSet) evaluate(name string) {
	if _, done := s.values[name]; done {
		return
	}
	attr := s.attrs[name]
	if i, open := s.at[name]; open {
		s.loader.say(Fault(attr.NameRange, "Cycle of locals", "Local %q needs itself: %s.", name, chain(append(slices.Clone(s.path[i:]), name))))
		s.values[name] = cty.DynamicVal
		return
	}
	if len(s.path) >= maxChain {
		s.loader.say(Fault(attr.NameRange, "Chain too long", "A local that needs another one, and so on, may form a chain of %d if the needed ones are written later. Write each local before those that need it.", maxChain))
		s.values[name] = cty.DynamicVal
		return
	}
	s.at[name] = len(s.path)
	s.path = append(s.path, name)
	// Only those that are needed: with all of them at hand for each, many locals
	// would take time that grows with their square.
	needs := map[string]cty.Value{}
	for _, need := range s.needs(attr.Expr) {
		s.evaluate(need)
		needs[need] = s.values[need]
	}
	s.path = s.path[:len(s.path)-1]
	delete(s.at, name)
	if _, cyclic := s.values[name]; cyclic {
		return
	}
	v, diags := s.scope.with("local", needs).value(attr.Expr)
	s.loader.say(diags...)
	s.values[name] = v
}

// needs lists the locals that an expression refers to; all of them if it uses
// them as a whole.
func (s *localSet) needs(expr hcl.Expression) []string {
	var needs []string
	for _, t := range expr.Variables() {
		if t.RootName() != "local" {
			continue
		}
		if len(t) > 1 {
			if step, ok := t[1].(hcl.TraverseAttr); ok {
				if s.attrs[step.Name] != nil {
					needs = append(needs, step.Name)
				}
				continue
			}
		}
		needs = append(needs, slices.Sorted(maps.Keys(s.attrs))...)
	}
	return needs
}
