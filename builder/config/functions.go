package config

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions are what expressions can call. None looks at the host, the clock
// or chance: the same flavour file means the same everywhere.
var functions = map[string]function.Function{
	"base64encode": base64Func,
	"can":          tryfunc.CanFunc,
	"chomp":        stdlib.ChompFunc,
	"coalesce":     stdlib.CoalesceFunc,
	"concat":       stdlib.ConcatFunc,
	"contains":     stdlib.ContainsFunc,
	"distinct":     stdlib.DistinctFunc,
	"flatten":      stdlib.FlattenFunc,
	"format":       stdlib.FormatFunc,
	"indent":       stdlib.IndentFunc,
	"join":         stdlib.JoinFunc,
	"jsonencode":   stdlib.JSONEncodeFunc,
	"keys":         stdlib.KeysFunc,
	"length":       stdlib.LengthFunc,
	"lookup":       stdlib.LookupFunc,
	"lower":        stdlib.LowerFunc,
	"merge":        stdlib.MergeFunc,
	"replace":      stdlib.ReplaceFunc,
	"shellquote":   shellFunc,
	"sort":         stdlib.SortFunc,
	"split":        stdlib.SplitFunc,
	"substr":       stdlib.SubstrFunc,
	"trimprefix":   stdlib.TrimPrefixFunc,
	"trimspace":    stdlib.TrimSpaceFunc,
	"trimsuffix":   stdlib.TrimSuffixFunc,
	"try":          tryfunc.TryFunc,
	"unitquote":    unitFunc,
	"upper":        stdlib.UpperFunc,
	"values":       stdlib.ValuesFunc,
}

// bounded are functions whose result can be much larger than what they are
// given, or take much longer, each with what it comes to at most, in bytes.
var bounded = map[string]func(args []cty.Value) int{
	"distinct": func(args []cty.Value) int {
		n := args[0].LengthInt()
		return n * n // it compares each with each
	},
	"format": formatted,
	"indent": func(args []cty.Value) int {
		spaces, _ := args[0].AsBigFloat().Int64()
		if spaces < 0 || spaces > 1000 {
			return maxWork // it would panic, or fill the memory
		}
		return int(spaces) * strings.Count(args[1].AsString(), "\n")
	},
	"join": func(args []cty.Value) int {
		n := 0
		for _, list := range args[1:] {
			n += list.LengthInt()
		}
		return n * len(args[0].AsString())
	},
	"replace": func(args []cty.Value) int {
		return strings.Count(args[0].AsString(), args[1].AsString()) * len(args[2].AsString())
	},
}

var wideVerb = regexp.MustCompile(`%[^%a-zA-Z]*[0-9]{4}`)

// formatted is what the verbs of a format come to: each can show each argument.
func formatted(args []cty.Value) int {
	if wideVerb.MatchString(args[0].AsString()) {
		return maxWork // a width of more than three digits
	}
	m := measure{most: maxValue}
	for _, arg := range args[1:] {
		m.value(arg)
	}
	return strings.Count(args[0].AsString(), "%") * (1000 + m.size)
}

// mostOfCall bounds what a call may come to, in bytes.
const mostOfCall = 4 << 20

// functions returns the functions for expressions that pay.
func (b *budget) functions() map[string]function.Function {
	all := maps.Clone(functions)
	for name, most := range bounded {
		f := functions[name]
		all[name] = function.New(&function.Spec{
			Description: f.Description(), Params: f.Params(), VarParam: f.VarParam(), Type: f.ReturnTypeForValues,
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				for _, arg := range args {
					if !arg.IsWhollyKnown() {
						return f.Call(args)
					}
				}
				n := most(args)
				if n > mostOfCall || !b.spend(n, hcl.Range{}) {
					return cty.NilVal, fmt.Errorf("the result is too large: at most %d bytes are allowed", mostOfCall)
				}
				return f.Call(args)
			},
		})
	}
	return all
}
