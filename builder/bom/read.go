package bom

import (
	"fmt"
	"io"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// Listed is a package of a bill that was read: its package URL, and its name and version
// as the bill has them.
type Listed struct{ PURL, Name, Version string }

// ReadCycloneDX reads a bill in CycloneDX's JSON, of any program: what the whole is
// called, and the packages. Components that have no package URL are left out.
func ReadCycloneDX(r io.Reader) (name string, packages []Listed, err error) {
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
	return name, listed(bom.Components), nil
}

// listed are the packages among components, and in them.
func listed(components *[]cdx.Component) []Listed {
	if components == nil {
		return nil
	}
	var out []Listed
	for _, c := range *components {
		if c.PackageURL != "" {
			out = append(out, Listed{c.PackageURL, c.Name, c.Version})
		}
		out = append(out, listed(c.Components)...)
	}
	return out
}
