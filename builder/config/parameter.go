package config

import (
	"bytes"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/shell"
	"github.com/zclconf/go-cty/cty"
)

func (l *loader) readParameter(f *Feature, b *parameterBlock) {
	before := len(l.diags)
	if !parameterPattern.MatchString(b.Name) {
		l.say(Fault(b.NameRange, "Invalid name", "%q cannot be a parameter's name: small letters, digits and _ can, beginning with a letter.", b.Name))
	}
	p := Parameter{Name: b.Name, Type: String, Range: b.NameRange}
	l.plainText(b.Description) // it is for those who read the file
	var worth cty.Value
	if b.Default != nil {
		v, diags := plain.value(b.Default.Expr)
		l.say(diags...)
		if v.IsWhollyKnown() && !v.IsNull() {
			worth = v
			p.Type = typeOf(v)
		}
	}
	if kind := l.choice("type", b.Type, parameterTypes); kind != nil && !kind.bad {
		p.Type = ParameterType(kind.value)
	}
	values, _, diags := plain.list(b.Values)
	l.say(diags...)
	for _, v := range values {
		p.Values = append(p.Values, v.value)
	}
	if values != nil && p.Type != String && p.Type != List {
		l.say(Fault(b.Values.Expr.Range(), "Values without effect", "Only strings and lists can be limited to certain values; %q is of type %s.", b.Name, p.Type))
	}
	early, diags := plain.boolean(b.Early)
	l.say(diags...)
	p.Early = early
	l.readFormat(&p, b)
	l.readWish(f, &p, values)
	if worth != cty.NilVal && len(l.diags) == before {
		p.Default = l.parameterValue(&p, "The default of parameter "+`"`+b.Name+`"`, worth, b.Default.Expr.Range())
	}
	if len(l.diags) > before {
		l.uncertain[f.Name][b.Name] = true
	}
	f.Parameters = append(f.Parameters, p)
}

// parameterValue checks a value against a parameter's type and allowed values,
// and returns it as Go holds it; nil if it is at fault.
func (l *loader) parameterValue(p *Parameter, what string, v cty.Value, at hcl.Range) any {
	value, problem := typed(v, p.Type)
	if problem != "" {
		l.say(Fault(at, "Wrong type", "%s has to be %s", what, problem))
		return nil
	}
	// What a default is like is only known with a flavour; see [Parameter.Problem].
	if !strings.HasPrefix(what, "The default") {
		if problem := p.Problem(value); problem != "" {
			l.say(Fault(at, "Invalid value", "%s %s", what, problem))
			return nil
		}
	}
	if len(p.Values) == 0 {
		return value
	}
	given, _ := value.([]string)
	if s, ok := value.(string); ok {
		given = []string{s}
	}
	for _, s := range given {
		if !slices.Contains(p.Values, s) {
			l.say(Fault(at, "Value not allowed", "%s may be %s, not %q.%s", what, strings.Join(p.Values, ", "), s, didYouMean(s, p.Values)))
			return nil
		}
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
