package scaffold

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/config"
)

// started are the features of a new flavour, as flavourStart has them.
var started = []string{"base", "ostreeRepo", "ostreeImage"}

// settings writes what can be set for the features of a new flavour: required
// parameters with their examples, or with a value to be replaced, and other
// parameters that have an example as comments.
func settings(p *config.Project) string {
	var b strings.Builder
	for _, name := range started {
		f := p.Features[name]
		if f == nil {
			continue
		}
		lines, real := "", false
		for _, param := range f.Parameters {
			example := param.Example
			if example == "" && param.Required {
				example = config.Written(config.Zero(param.Type))
			}
			if example == "" {
				continue
			}
			mark := "# "
			if param.Required {
				mark, real = "", true
			}
			lines += fmt.Sprintf("    %s%s = %s\n", mark, param.Name, escaped(example))
		}
		switch {
		case lines == "":
		case real:
			fmt.Fprintf(&b, "  set %q {\n%s  }\n", name, lines)
		default:
			fmt.Fprintf(&b, "  # set %q {\n%s  # }\n", name, strings.ReplaceAll(lines, "    # ", "  #   "))
		}
	}
	return b.String()
}

// escaped keeps HCL from taking a part of a string for an expression.
func escaped(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
}
