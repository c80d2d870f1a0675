package config

import "github.com/hashicorp/hcl/v2"

// explainLiteral adds to syntax errors how to write ${ and %{ as plain text: other
// programs have ${x%.*} and %{http_code}. In a file of flavours,
// the errors of ${ may be those of any expression.
func explainLiteral(diags hcl.Diagnostics, wholeFile bool) {
	for _, d := range diags {
		switch d.Summary {
		case "Invalid template control keyword":
			d.Detail += " If it is text, write %%{."
		case "Invalid expression", "Missing expression", "Invalid character":
			if wholeFile {
				d.Detail += " If ${ is text, write $${."
			}
		}
	}
}
