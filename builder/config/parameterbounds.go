package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// readBounds takes in the pattern and the bounds of a parameter's values.
func (l *loader) readBounds(p *Parameter, b *parameterBlock) {
	pattern, diags := plain.str(b.Pattern)
	l.say(diags...)
	if pattern != nil && !pattern.bad {
		l.readPattern(p, pattern)
	}
	for _, bound := range []struct {
		attr intAttr
		into **int64
	}{{b.Min, &p.Min}, {b.Max, &p.Max}} {
		n, diags := plain.integer(bound.attr)
		l.say(diags...)
		switch {
		case n == nil:
		case p.Type == Bool:
			l.say(Fault(bound.attr.Expr.Range(), "Bound without effect", "true and false have no bounds; %q is of type bool.", b.Name))
		case *n < 0 && p.Type != Int:
			l.say(Fault(bound.attr.Expr.Range(), "Invalid bound", "It bounds a count, which is never negative: %q is of type %s.", b.Name, p.Type))
		default:
			*bound.into = n
		}
	}
	if p.Min != nil && p.Max != nil && *p.Min > *p.Max {
		l.say(Fault(b.Min.Expr.Range(), "Invalid bound", "No value of %q can be both %d at least and %d at most.", b.Name, *p.Min, *p.Max))
		p.Min, p.Max = nil, nil
	}
}

func (l *loader) readPattern(p *Parameter, pattern *text) {
	if p.Type != String && p.Type != List {
		l.say(Fault(pattern.at, "Pattern without effect", "Only strings and lists can have a pattern; %q is of type %s.", p.Name, p.Type))
		return
	}
	// On its own first, so that no bracket of it closes ours.
	_, err := regexp.Compile(pattern.value)
	if err != nil {
		reason := err.Error()
		if fault := (*syntax.Error)(nil); errors.As(err, &fault) {
			reason = fmt.Sprintf("%s: %s", fault.Code, fault.Expr)
		}
		l.say(Fault(pattern.at, "Invalid pattern", "%q is not a regular expression as RE2 has them: %s.", pattern.value, reason))
		return
	}
	p.Pattern, p.written = regexp.MustCompile(`^(?:`+pattern.value+`)$`), pattern.value
}

// boundProblem judges a value by min and max, and by the bounds of the stage that
// reads it. An empty string has been dealt with.
func (p *Parameter) boundProblem(value any) string {
	n, what := int64(0), ""
	switch v := value.(type) {
	case int64:
		n = v
	case string:
		n, what = int64(utf8.RuneCountInString(v)), "characters"
	case []string:
		n, what = int64(len(v)), "elements"
	case []Object:
		n, what = int64(len(v)), "elements"
	default:
		return ""
	}
	if text := outside(n, what, p.Min, p.Max); text != "" {
		return text
	}
	if what == "" && (p.stage.least != 0 || p.stage.most != 0) {
		return outside(n, what, &p.stage.least, &p.stage.most)
	}
	return ""
}

// outside describes which bound a number is beyond, if it is.
func outside(n int64, what string, least, most *int64) string {
	below, above := least != nil && n < *least, most != nil && n > *most
	if !below && !above {
		return ""
	}
	verb := "be"
	unit := func(int64) string { return "" }
	if what != "" {
		verb, unit = "have", func(n int64) string {
			if n == 1 {
				return " " + strings.TrimSuffix(what, "s")
			}
			return " " + what
		}
	}
	switch {
	case least != nil && most != nil && *least == *most:
		return fmt.Sprintf("has to %s %d%s, not %d.", verb, *least, unit(*least), n)
	case least != nil && most != nil:
		return fmt.Sprintf("has to %s from %d to %d%s, not %d.", verb, *least, *most, unit(*most), n)
	case below:
		return fmt.Sprintf("has to %s %d%s at least, not %d.", verb, *least, unit(*least), n)
	}
	return fmt.Sprintf("has to %s %d%s at most, not %d.", verb, *most, unit(*most), n)
}

// forExample is a sentence with the parameter's example, "" without one.
func (p *Parameter) forExample() string {
	if p.Example == "" {
		return ""
	}
	return " For example: " + p.Example
}

// Written is a value as HCL, JSON and YAML all understand it.
func Written(value any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(fmt.Sprintf("config: %v", err)) // there is nothing in it that JSON cannot hold
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// elementRanges are where the elements of a list are written, nil as [elements].
func elementRanges(expr hcl.Expression, value any) []hcl.Range {
	list, _ := value.([]string)
	var all []hcl.Range
	for _, e := range elements(expr, len(list)) {
		all = append(all, e.Range())
	}
	return all
}

// elements are the expressions of a list's elements, nil where they are not
// written out one by one.
func elements(expr hcl.Expression, n int) []hcl.Expression {
	exprs, diags := hcl.ExprList(expr)
	if diags.HasErrors() || len(exprs) != n {
		return nil
	}
	return exprs
}
