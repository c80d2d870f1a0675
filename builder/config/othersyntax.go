package config

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

var hclLine = regexp.MustCompile(`^[A-Za-z_][\w-]*(\s+"[^"]*")*\s*(\{|=)`)

// hclAsYAML is the fault of a file in HCL whose ending is that of YAML.
func hclAsYAML(name string, src []byte) *hcl.Diagnostic {
	from := 0
	for line := range bytes.Lines(src) {
		text := bytes.TrimRight(line, " \t\r\n")
		if len(text) > 0 && text[0] != '#' && !bytes.HasPrefix(text, []byte("//")) {
			if !hclLine.Match(text) {
				return nil
			}
			at, base := RangeIn(name, src, from, from+len(text)), path.Base(name)
			if base == "info.yaml" {
				return Fault(at, "HCL in a file for YAML", "An info.yaml is written in YAML, and this is HCL: write KEY: VALUE.")
			}
			return Fault(at, "HCL in a file for YAML", "The ending %s is for YAML, and this is HCL. Call the file %s.", path.Ext(base), strings.TrimSuffix(base, path.Ext(base))+".hcl")
		}
		from += len(line)
	}
	return nil
}
