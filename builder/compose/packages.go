package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// Want is a package that a feature asks for.
type Want struct {
	distro.Want
	// Range is the mention: of several the first one, or that with the version or the
	// suite.
	Range hcl.Range `json:"-"`
	// Feature is the first one that mentions the package, if wishes of several are merged.
	Feature string `json:"-"`
}

// packageName follows the Debian Policy Manual: names in 5.6.1, architectures
// as in 11.1, and the characters of versions in 5.6.12.
var packageName = regexp.MustCompile(`^([a-z0-9][a-z0-9+.-]+(?::[a-z0-9][a-z0-9-]*)?)(?:=([A-Za-z0-9][A-Za-z0-9.+~:-]*)|/([A-Za-z0-9][A-Za-z0-9.+~_-]*))?$`)

// PackageSyntax is the end of a sentence that says what a package is written like.
const PackageSyntax = `a name is made of lower-case letters, digits, "+", "-" and ".", at least two; ":ARCH", and "=VERSION" or "/SUITE", may follow.`

// ParseWant takes apart NAME, NAME:ARCH, NAME=VERSION or NAME/SUITE.
func ParseWant(text string) (distro.Want, bool) {
	if isName(text) {
		return distro.Want{Name: text}, true
	}
	m := packageName.FindStringSubmatch(text)
	if m == nil {
		return distro.Want{}, false
	}
	return distro.Want{Name: m[1], Version: m[2], Suite: m[3]}, true
}

// isName reports whether a text is only a name, as [packageName] has it. Most
// are, and a tree has tens of thousands of them.
func isName(text string) bool {
	for i := range len(text) {
		c := text[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return len(text) >= 2
}

// architectures are the names that dpkg uses for Debian on Linux, released and
// in ports. Only to tell an architecture from a misspelt parameter.
var architectures = []string{
	"alpha", "amd64", "arc", "arm64", "armel", "armhf", "hppa", "i386", "ia64", "loong64", "m68k",
	"mips64el", "mipsel", "powerpc", "ppc64", "ppc64el", "riscv64", "s390x", "sh4", "sparc64", "x32",
}

// variable is what a package line can name.
type variable struct {
	kind   config.ParameterType
	values []string // one, except for lists
	// allowed are the only values it can have, if that is known.
	allowed []string
	// useless explains why no line can name it, "" if one can.
	useless string
}

// scope is all that the package lines of one feature can name.
type scope map[string]variable

func newScope(f *config.Feature, values map[string]Value, vars map[string]string) scope {
	sc := scope{}
	for _, p := range f.Parameters {
		v := values[p.Name]
		x := variable{kind: p.Type, values: []string{v.String()}, allowed: p.Values}
		if list, ok := v.Any.([]string); ok {
			x.values = list
		}
		switch {
		case p.Type == config.Bool:
			x.allowed = []string{"true", "false"}
		case p.Type == config.Objects:
			x.useless = "is of type objects"
		case p.Secret:
			x.useless = "is a secret"
		}
		sc[p.Name] = x
	}
	for name, value := range vars {
		sc[name] = variable{kind: config.String, values: []string{value}}
	}
	sc["arch"] = variable{kind: config.String, values: []string{vars["arch"]}, allowed: architectures}
	return sc
}

// maxLine is how many packages a line may mean: lists in it multiply.
const maxLine = 2000

// expand describes which packages a line means: none if its conditions do not
// hold, several if it names a list. All names are looked up whether or not the
// conditions hold, so that a fault shows in every flavour.
func (l *packageLine) expand(sc scope) (packages []string, errs []*lineError) {
	holds := true
	for _, bracket := range l.brackets {
		positive, some, all := false, false, true
		for _, t := range bracket {
			is, err := t.eval(sc)
			switch {
			case err != nil:
				errs = append(errs, err)
			case t.negated:
				all = all && !is
			default:
				positive, some = true, some || is
			}
		}
		holds = holds && all && (some || !positive)
	}
	packages = []string{""}
	for _, p := range l.parts {
		if why := sc[p.variable].useless; why != "" {
			errs = append(errs, &lineError{"Not a string", fmt.Sprintf("%q %s, which no package is named after.", p.variable, why), p.at, len(p.text)})
			continue
		}
		values := []string{p.text}
		if p.variable != "" {
			v, ok := sc[p.variable]
			if !ok {
				errs = append(errs, &lineError{"Unknown variable",
					fmt.Sprintf("There is no parameter %q here.%s", p.variable, config.DidYouMean(p.variable, slices.Sorted(maps.Keys(sc)))), p.at, len(p.text)})
			}
			values = v.values
		}
		if len(packages)*len(values) > maxLine {
			errs = append(errs, &lineError{"Too many packages", fmt.Sprintf("With this list, the line means more than %d packages.", maxLine), p.at, len(p.text)})
			break
		}
		var longer []string
		for _, prefix := range packages {
			for _, v := range values {
				longer = append(longer, prefix+v)
			}
		}
		packages = longer
	}
	if !holds || len(errs) > 0 {
		return nil, errs
	}
	return packages, nil
}

func (t term) eval(sc scope) (bool, *lineError) {
	unknown := func(detail string) (bool, *lineError) {
		return false, &lineError{"Unknown condition", detail, t.at, len(t.text)}
	}
	v, ok := sc[t.name]
	if v.useless != "" {
		return unknown(fmt.Sprintf("%q %s, which no condition can ask for.", t.name, v.useless))
	}
	if t.compare {
		if !ok {
			return unknown(fmt.Sprintf("There is no parameter %q here.%s", t.name, config.DidYouMean(t.name, slices.Sorted(maps.Keys(sc)))))
		}
		if len(v.allowed) > 0 && !slices.Contains(v.allowed, t.value) {
			return unknown(fmt.Sprintf("%q is never %q.%s", t.name, t.value, config.DidYouMean(t.value, v.allowed)))
		}
		return slices.Contains(v.values, t.value), nil
	}
	if slices.Contains(architectures, t.name) {
		return slices.Contains(sc["arch"].values, t.name), nil
	}
	if ok && v.kind == config.Bool {
		return slices.Contains(v.values, "true"), nil
	}
	if ok {
		return unknown(fmt.Sprintf("%q is a %s, so it must be compared with a value: [%s=VALUE].", t.name, v.kind, t.name))
	}
	known := slices.Clone(architectures)
	for name, v := range sc {
		if v.kind == config.Bool {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	return unknown(fmt.Sprintf("%q is neither an architecture nor a parameter of type bool.%s", t.name, config.DidYouMean(t.name, known)))
}

// in makes a fault within a line one within its file.
func (e *lineError) in(line config.Line) *hcl.Diagnostic {
	r := line.Range
	// A line that an expression gave, or that has escapes, is not at its place letter by
	// letter.
	if r.End.Byte-r.Start.Byte != len(line.Text) {
		return fault(e.summary, e.detail, r)
	}
	before := line.Text[:e.at]
	r.Start.Byte += e.at
	r.Start.Column += len([]rune(before))
	r.End = r.Start
	r.End.Byte += e.length
	r.End.Column += len([]rune(line.Text[e.at : e.at+e.length]))
	return fault(e.summary, e.detail, r)
}
