package bom

import (
	"fmt"
	"io"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// ReadCycloneDX reads a bill in CycloneDX's JSON, of any program: the name of the whole, and
// the package URLs of its components. Components without one are left out.
func ReadCycloneDX(r io.Reader) (name string, purls []string, err error) {
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(r, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return "", nil, fmt.Errorf("not a bill of materials in CycloneDX's JSON: %w", err)
	}
	if bom.BOMFormat != cdx.BOMFormat {
		return "", nil, fmt.Errorf("not a bill of materials in CycloneDX's JSON: bomFormat is %q", bom.BOMFormat)
	}
	if bom.Metadata != nil && bom.Metadata.Component != nil {
		name = bom.Metadata.Component.Name
	}
	return name, purlsOf(bom.Components), nil
}

// purlsOf returns the package URLs of components, and of those inside them.
func purlsOf(components *[]cdx.Component) []string {
	if components == nil {
		return nil
	}
	var out []string
	for _, c := range *components {
		if c.PackageURL != "" {
			out = append(out, c.PackageURL)
		}
		out = append(out, purlsOf(c.Components)...)
	}
	return out
}
