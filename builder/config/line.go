package config

import "github.com/hashicorp/hcl/v2"

// Line is one line of a list file, trimmed, or the value of a field, with its place.
type Line struct {
	Text  string
	Range hcl.Range
}
