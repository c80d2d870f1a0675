package bom

import (
	"bytes"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/treewright/treewright/builder/distro"
)

// rootRef is the bom-ref of the whole.
const rootRef = "treewright:root"

// CycloneDX returns the bill as CycloneDX 1.6 in JSON.
func CycloneDX(b *Bill) ([]byte, error) {
	id, err := b.uuid()
	if err != nil {
		return nil, err
	}
	kind := cdx.ComponentTypeOS
	if b.Extension {
		kind = cdx.ComponentTypeApplication
	}
	components := []cdx.Component{}
	refs := []string{}
	graph := []cdx.Dependency{{Ref: rootRef, Dependencies: &refs}}
	known := map[distro.Package]string{}
	for _, p := range b.Packages {
		known[p.Package] = p.PURL
	}
	for _, p := range b.Packages {
		components = append(components, packageComponent(p))
		refs = append(refs, p.PURL)
		on := []string{}
		for _, d := range p.Depends {
			if ref := known[d]; ref != "" {
				on = append(on, ref)
			}
		}
		graph = append(graph, cdx.Dependency{Ref: p.PURL, Dependencies: &on})
	}
	for _, f := range b.Files {
		ref := "file:" + f.Path
		components = append(components, cdx.Component{
			BOMRef: ref, Type: cdx.ComponentTypeFile, Name: f.Path,
			Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA1, Value: f.SHA1}, {Algorithm: cdx.HashAlgoSHA256, Value: f.SHA256}},
			Properties: &[]cdx.Property{{Name: featureProperty, Value: f.Feature}, {Name: byProperty, Value: f.By}},
		})
		refs = append(refs, ref)
	}
	bom := cdx.NewBOM()
	bom.JSONSchema, bom.SpecVersion = "http://cyclonedx.org/schema/bom-1.6.schema.json", cdx.SpecVersion1_6
	bom.SerialNumber = "urn:uuid:" + id
	bom.Metadata = &cdx.Metadata{
		Timestamp:  b.time(),
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "Treewright"}}},
		Component:  &cdx.Component{BOMRef: rootRef, Type: kind, Name: b.Name, Version: b.Version, Description: b.Description, Properties: properties(b.Properties)},
	}
	bom.Components, bom.Dependencies = &components, &graph
	var out bytes.Buffer
	err = cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6)
	return out.Bytes(), err
}

// packageComponent returns a package as a component. Its source package is in the package URL,
// where other programs look for it.
func packageComponent(p Package) cdx.Component {
	c := cdx.Component{
		BOMRef: p.PURL, Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, Description: p.Summary, PackageURL: p.PURL,
	}
	if p.Maintainer != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: p.Maintainer}
	}
	if p.SHA256 != "" {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.SHA256}}
	}
	if p.Feature != "" {
		c.Properties = &[]cdx.Property{{Name: featureProperty, Value: p.Feature}}
	}
	if p.Licence.Expression != "" {
		c.Licenses = &cdx.Licenses{{Expression: p.Licence.Expression}}
	}
	if isURL(p.Homepage) {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: p.Homepage}}
	}
	return c
}

// properties are nil if there are none.
func properties(all []Property) *[]cdx.Property {
	if len(all) == 0 {
		return nil
	}
	out := make([]cdx.Property, len(all))
	for i, p := range all {
		out[i] = cdx.Property{Name: p.Name, Value: p.Value}
	}
	return &out
}
