package compose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Value is what a parameter is worth in one flavour.
type Value struct {
	// Any is a string, bool, int64, []string or []config.Object.
	Any any
	// Range is where the value is written.
	Range hcl.Range `json:"-"`
	// Elements are where the elements of a list are written, if each is written out.
	Elements []hcl.Range `json:"-"`
	// Set reports that the flavour sets it; otherwise it is the default.
	Set bool `json:"-"`
	// Outside is as that of a [config.Origin].
	Outside []string `json:"-"`
	// lines reports that a list's elements may have blanks in them.
	lines bool
	// silent reports that the parameter is not in the environment of scripts as it is.
	silent bool
}

// String is the value as scripts get it: "true" or "false", a decimal number,
// the string itself, a list's elements joined by blanks, or by line ends if the
// parameter has a format; objects as a list in JSON, the fields of each by name.
func (v Value) String() string {
	switch x := v.Any.(type) {
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case string:
		return x
	case []string:
		if v.lines {
			return strings.Join(x, "\n")
		}
		return strings.Join(x, " ")
	case []config.Object:
		return config.Written(x)
	}
	return ""
}

// Bool, Int and List are the value of a parameter of that type; of another type,
// and of a parameter that there is not, the zero value.
func (v Value) Bool() bool {
	b, _ := v.Any.(bool)
	return b
}

// Int is described at [Value.Bool].
func (v Value) Int() int64 {
	i, _ := v.Any.(int64)
	return i
}

// List is described at [Value.Bool].
func (v Value) List() []string {
	list, _ := v.Any.([]string)
	return list
}

// flavourVariables are what every default and every package line can name. They
// hide a feature's own parameters of the same name, which is why [Check]
// forbids those.
func flavourVariables(f *config.Flavour) map[string]string {
	return map[string]string{
		"suite":   f.Distribution.Suite,
		"arch":    f.Distribution.Arch,
		"family":  f.Distribution.Family,
		"flavour": f.Name,

		"serial_console": serialConsoles[f.Distribution.Arch],
	}
}

// serialConsoles are what Linux calls the serial console that the firmware of
// machines of an architecture uses: on arm64 that of servers (SBSA) and of QEMU.
var serialConsoles = map[string]string{"amd64": "ttyS0", "arm64": "ttyAMA0"}

// defaults gives a feature's parameters the values they have where a flavour
// sets nothing.
func defaults(f *config.Feature, vars map[string]string) (map[string]Value, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	values := make(map[string]Value, len(f.Parameters))
	for _, p := range f.Parameters {
		fill := func(s string) string {
			filled, problem := interpolate(s, vars)
			if problem != "" {
				diags = append(diags, fault("Invalid default",
					fmt.Sprintf("In the default of parameter %q of feature %q, %s", p.Name, f.Name, problem), p.Range))
			}
			return filled
		}
		v := Value{Any: p.Default, Range: p.DefaultRange, lines: p.Format != "", silent: p.ForStageAlone() || p.Secret}
		switch x := p.Default.(type) {
		case nil:
			v.Any = config.Zero(p.Type)
		case string:
			v.Any = fill(x)
		case []string:
			list := make([]string, len(x))
			for i, s := range x {
				list[i] = fill(s)
			}
			v.Any = list
		}
		if problem := p.Problem(v.Any); problem != "" && !p.Required {
			diags = append(diags, fault("Invalid default", fmt.Sprintf("The default of parameter %q of feature %q %s", p.Name, f.Name, problem), p.Range))
		}
		values[p.Name] = v
	}
	return values, diags
}

// interpolate fills in ${NAME}; "$${" means a literal "${". What is wrong,
// if anything, is the end of a sentence.
func interpolate(s string, vars map[string]string) (filled, problem string) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		if !found {
			b.WriteString(s)
			return b.String(), ""
		}
		if strings.HasSuffix(before, "$") {
			b.WriteString(before + "{")
			s = rest
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Sprintf("%q has no closing brace.", "${"+rest)
		}
		value, ok := vars[name]
		if !ok {
			known := slices.Sorted(maps.Keys(vars))
			return "", fmt.Sprintf("there is no variable %q, only %s.%s", name, strings.Join(known, ", "), config.DidYouMean(name, known))
		}
		b.WriteString(before + value)
		s = after
	}
}

// parameters works out what all parameters of the selected features are worth
// for a flavour. That a setting names a parameter there is, and gives it a
// value of its type, was package config's to check.
func parameters(p *config.Project, f *config.Flavour, selected []string) (map[string]map[string]Value, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	vars := flavourVariables(f)
	values := make(map[string]map[string]Value, len(selected))
	for _, name := range selected {
		v, ds := defaults(p.Features[name], vars)
		diags = append(diags, ds...)
		values[name] = v
	}
	for _, s := range f.Settings {
		if values[s.Feature] == nil {
			diags = append(diags, fault("Setting without effect",
				fmt.Sprintf("Parameter %q is set for feature %q, which is not part of flavour %q.%s", s.Name, s.Feature, f.Name, cmp.Or(config.DidYouMean(s.Feature, selected), fmt.Sprintf(" Add %q to its features.", s.Feature))),
				s.FeatureRange))
			continue
		}
		v := values[s.Feature][s.Name]
		v.Any, v.Range, v.Elements, v.Set, v.Outside = s.Value, s.Range, s.Elements, true, s.Outside
		values[s.Feature][s.Name] = v
	}
	for _, name := range selected {
		diags = append(diags, unmet(f, p.Features[name], values[name])...)
		diags = append(diags, missing(p, f, p.Features[name], values[name])...)
	}
	return values, diags
}

// unmet finds parameters that are set and have no effect, as one that they
// require is not set.
func unmet(f *config.Flavour, feature *config.Feature, values map[string]Value) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range feature.Parameters {
		if p.Requires != "" && !values[p.Name].empty() && values[p.Requires].empty() {
			diags = append(diags, fault("Setting without effect",
				fmt.Sprintf("Parameter %q of feature %q has an effect only together with %q, which flavour %q does not set.", p.Name, feature.Name, p.Requires, f.Name),
				values[p.Name].Range))
		}
	}
	return diags
}

// missing finds parameters that a flavour has to set and does not. The fault is
// where the flavour mentions the feature, or the one that brings it along.
func missing(p *config.Project, f *config.Flavour, feature *config.Feature, values map[string]Value) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, param := range feature.Parameters {
		if !param.Required || values[param.Name].Set {
			continue
		}
		ref := mentionOf(p, f, feature.Name)
		through, example := "", ""
		if ref.Name != feature.Name {
			through = fmt.Sprintf(", which %q includes,", ref.Name)
		}
		if param.Example != "" {
			example = " For example: " + config.InSyntax(ref.Range, param.Name, param.Example)
		}
		diags = append(diags, fault("Missing setting",
			fmt.Sprintf("Feature %q%s requires its parameter %q (%s), and flavour %q does not set it.%s", feature.Name, through, param.Name, place(param.Range), f.Name, example), ref.Range))
	}
	return diags
}

// mentionOf is the first of a flavour's features that is the named one, or else
// that includes it, directly or through others.
func mentionOf(p *config.Project, f *config.Flavour, name string) config.FeatureRef {
	if i := slices.IndexFunc(f.Features, func(ref config.FeatureRef) bool { return ref.Name == name }); i >= 0 {
		return f.Features[i]
	}
	for _, ref := range f.Features {
		seen := map[string]bool{}
		stack := []string{ref.Name}
		for len(stack) > 0 {
			next := p.Features[stack[len(stack)-1]]
			stack = stack[:len(stack)-1]
			if next == nil || seen[next.Name] {
				continue
			}
			if seen[next.Name] = true; next.Name == name {
				return ref
			}
			for _, include := range next.Include {
				stack = append(stack, include.Name)
			}
		}
	}
	return config.FeatureRef{Name: name, Range: f.Range}
}

// empty reports that a value is the one of a parameter without a default.
func (v Value) empty() bool {
	switch x := v.Any.(type) {
	case []config.Object:
		return len(x) == 0
	case bool:
		return !x
	case int64:
		return x == 0
	}
	return v.String() == ""
}
