package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/shell"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func (l *loader) readParameter(f *Feature, b *parameterBlock) {
	before := len(l.diags)
	p := l.declared(b, "parameter", func(p *Parameter, values []text) {
		l.readWish(f, p, values)
		l.readSecret(f, p, b)
	})
	early, diags := plain.boolean(b.Early)
	l.say(diags...)
	p.Early = early
	if len(l.diags) > before {
		l.uncertain[f.Name][b.Name] = true
	}
	f.Parameters = append(f.Parameters, p)
}

// declared reads the declaration of a parameter, or of a field. wish adds what a
// stage wants of it, before its default and example are judged.
func (l *loader) declared(b *parameterBlock, what string, wish func(p *Parameter, values []text)) Parameter {
	before := len(l.diags)
	if !parameterPattern.MatchString(b.Name) {
		l.say(Fault(b.NameRange, "Invalid name", "%q cannot be a %s's name: small letters, digits and _ can, beginning with a letter.", b.Name, what))
	}
	p := Parameter{Name: b.Name, Type: String, Range: b.NameRange, DefaultRange: b.NameRange, Description: l.plainText(b.Description)}
	worth := l.sample(b.Default)
	if worth != cty.NilVal {
		p.Type, p.DefaultRange = typeOf(worth), b.Default.Expr.Range()
	}
	if b.Fields != nil {
		p.Type = Objects
	}
	types := parameterTypes
	if what == "field" {
		types = fieldTypes
	}
	if kind := l.choice("type", b.Type, types); kind != nil && !kind.bad {
		p.Type = ParameterType(kind.value)
	}
	l.readFields(&p, b)
	values, _, diags := plain.list(b.Values)
	l.say(diags...)
	p.Values = names(values)
	if values != nil && len(values) == 0 && !diags.HasErrors() {
		l.say(Fault(b.Values.Expr.Range(), "Empty list", "Without a value, %q could not be set: omit \"values\", or write those that are allowed.", b.Name))
	}
	if values != nil && p.Type != String && p.Type != List {
		l.say(Fault(b.Values.Expr.Range(), "Values without effect", "Only strings and lists can be limited to certain values; %q is of type %s.", b.Name, p.Type))
	}
	l.readFormat(&p, b)
	l.readBounds(&p, b)
	wish(&p, values)
	p.Required, diags = plain.boolean(b.Required)
	l.say(diags...)
	if p.Required && worth != cty.NilVal {
		l.say(Fault(b.Default.Expr.Range(), "Default without effect", "%q is required, so a value is always given. Omit the default, or \"required\".", b.Name))
	}
	if len(l.diags) > before {
		return p
	}
	l.checkValues(&p, values)
	title := what + ` "` + b.Name + `"`
	if worth != cty.NilVal {
		p.Default = l.value(&p, "The default of "+title, worth, b.Default.Expr, what == "parameter")
	}
	if example := l.sample(b.Example); example != cty.NilVal {
		if l.value(&p, "The example of "+title, example, b.Example.Expr, false) != nil {
			p.Example = exampleText(example)
		}
	}
	return p
}

// exampleText writes a value that a parameter can have in JSON, without escapes
// that only HTML needs.
func exampleText(v cty.Value) string {
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		panic(fmt.Sprintf("config: %v", err)) // it has been found to be of a parameter's type
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var plain any
	if err := d.Decode(&plain); err != nil {
		panic(fmt.Sprintf("config: %v", err))
	}
	return Written(plain)
}

// sample reads a value that a declaration has, of any type.
func (l *loader) sample(attr valueAttr) cty.Value {
	if attr == nil {
		return cty.NilVal
	}
	v, diags := plain.value(attr.Expr)
	l.say(diags...)
	if !v.IsWhollyKnown() || v.IsNull() {
		return cty.NilVal
	}
	return v
}

// value checks a value against what its parameter declares, and returns it as Go
// holds it; nil if it is at fault. Faults are at the element that has them, where
// the elements of a list are written out. With open, the value may have variables
// in it, so that [Parameter.Problem] is for those to ask who know them.
func (l *loader) value(p *Parameter, what string, v cty.Value, expr hcl.Expression, open bool) any {
	if p.Type == Objects {
		return l.objects(p, what, v, expr)
	}
	at := expr.Range()
	value, wrong := typed(v, p.Type)
	if wrong != "" {
		l.say(Fault(at, "Wrong type", "%s has to be %s", what, wrong))
		return nil
	}
	given, isList := value.([]string)
	if s, ok := value.(string); ok {
		given = []string{s}
	}
	var parts []hcl.Expression
	if isList {
		parts = elements(expr, len(given))
	}
	placed := func(element int) hcl.Range {
		if element >= 0 && parts != nil {
			return parts[element].Range()
		}
		return at
	}
	before := len(l.diags)
	if !open {
		for _, problem := range p.problems(value) {
			element := ""
			if problem.element >= 0 {
				element = fmt.Sprintf(" (element %d)", problem.element+1)
			}
			l.say(Fault(placed(problem.element), "Invalid value", "%s%s %s", what, element, problem.text))
		}
	}
	for i, s := range given {
		if len(p.Values) > 0 && len(l.diags) == before && !slices.Contains(p.Values, s) {
			l.say(Fault(placed(i), "Value not allowed", "%s may be %s, not %q.%s", what, strings.Join(p.Values, ", "), s, DidYouMean(s, p.Values)))
		}
	}
	if len(l.diags) > before {
		return nil
	}
	return value
}

// toldOf finds the mention of a parameter in a script.
var toldOf = regexp.MustCompile(`\bPARAM_([A-Z][A-Z0-9_]*)`)

// checkEarly finds parameters that exec.early relies on but does not get. In
// a shell they would be empty, or an error once it runs.
func (l *loader) checkEarly(f *Feature, name string) {
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil || len(src) > shell.Longest || bytes.IndexByte(src, 0) >= 0 {
		return
	}
	l.project.Files[name] = &hcl.File{Bytes: src}
	code := src
	if shell.Named(src) {
		code = shell.Code(src)
	}
	said := map[string]bool{}
	for _, m := range toldOf.FindAllSubmatchIndex(code, -1) {
		parameter := strings.ToLower(string(code[m[2]:m[3]]))
		i := slices.IndexFunc(f.Parameters, func(p Parameter) bool { return p.Name == parameter })
		if i < 0 || f.Parameters[i].Early || said[parameter] || l.uncertain[f.Name][parameter] {
			continue
		}
		said[parameter] = true
		l.say(Fault(RangeIn(name, src, m[0], m[1]), "Parameter not early",
			"exec.early gets only parameters that are early, because all packages are installed again when one of them changes. Add \"early: true\" to %q in %s/info.yaml, or use the parameter in a later script.", parameter, f.Dir))
	}
}
