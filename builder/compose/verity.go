package compose

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// FormatParameter is the parameter of an extension's feature that chooses the format of its
// image.
const FormatParameter = "format"

// DDIFormats are the formats of disk images with dm-verity, with the file system that is in
// them.
var DDIFormats = map[string]string{"ddi": "squashfs", "ddi-erofs": "erofs"}

// VerityStage is the name of the tools for such images.
const VerityStage = "extension-verity"

// policyParameter is the parameter of a feature that chooses which extensions machines merge;
// signedPolicy is its value for signed extensions only.
const (
	policyParameter = "extension_policy"
	signedPolicy    = "signed"
)

// SignedOnly reports whether the machines of a flavour merge only signed extensions by
// themselves.
func (s *Spec) SignedOnly() bool {
	_, only := s.signedOnly()
	return only
}

func (s *Spec) signedOnly() (Value, bool) {
	for _, f := range s.Features {
		if v, ok := s.Parameters[f.Name][policyParameter]; ok && v.String() == signedPolicy {
			return v, true
		}
	}
	return Value{}, false
}

// certificateFiles returns the files on machines that have the certificates.
func certificateFiles(v config.Verity) []config.Generated {
	var files []config.Generated
	for _, c := range v.Certificates {
		files = append(files, config.Generated{Path: "/usr/lib/verity.d/" + c.Name + ".crt", Content: c.Content, Range: c.Range})
	}
	return files
}

// checkVerity finds extensions that no machine of the flavour would merge, and signatures that
// no machine would check.
func (s *Spec) checkVerity(lacks func(family, stage, suite string) string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	policy, only := s.signedOnly()
	v, d, images := &s.Flavour.Verity, s.Flavour.Distribution, 0
	if only && len(v.Certificates) == 0 {
		diags = append(diags, fault("Extensions that nobody can sign",
			fmt.Sprintf("Flavour %q has %s = %q, so its machines merge no extension without a signature, and it has no certificate to check one by: add verity_certificates to its sign block.", s.Flavour.Name, policyParameter, signedPolicy), policy.Range))
	}
	for _, ext := range s.Extensions {
		format := s.Parameters[ext.Feature.Name][FormatParameter]
		if DDIFormats[format.String()] != "" {
			images++
			if lacks == nil {
				continue
			}
			if why := lacks(d.Family, VerityStage, d.Suite); why != "" {
				diags = append(diags, fault("Suite too old",
					fmt.Sprintf("The extension %q of flavour %q cannot be made as %q from %q: %s. Choose a newer suite or another format.", ext.Name, s.Flavour.Name, format.String(), d.Suite, why), s.placeOf(format)))
			}
			continue
		}
		if only {
			diags = append(diags, fault("Extension that no machine merges",
				fmt.Sprintf("Flavour %q has %s = %q at %s, and its extension %q is made in a format that cannot be signed: its feature %q needs the parameter %s = \"ddi\".", s.Flavour.Name, policyParameter, signedPolicy, place(policy.Range), ext.Name, ext.Feature.Name, FormatParameter), s.placeOf(format)))
		}
	}
	if only && images > 0 && !v.Signs() {
		diags = append(diags, config.Warning(s.placeOf(policy), "Extensions that are not signed",
			"Machines of flavour %q merge signed extensions only, but its own are not signed: set verity_key or verity_command in its sign block.", s.Flavour.Name))
	}
	return append(diags, s.vainSignatures(v, images, only)...)
}

// programStage is the stage of the feature by which machines add packages. Images of these are signed with the key for extensions.
const programStage = "program"

// vainSignatures finds settings of signatures that have no effect.
func (s *Spec) vainSignatures(v *config.Verity, images int, only bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	switch {
	case v.Signs() && len(v.Certificates) == 0:
		diags = append(diags, fault("Signatures without a certificate",
			fmt.Sprintf("Flavour %q signs its extensions, and its machines have no certificate to check that by: add verity_certificates to its sign block.", s.Flavour.Name), v.At))
	case v.Signs() && images == 0 && s.StageFeature(programStage) == nil:
		diags = append(diags, fault("Setting without effect",
			fmt.Sprintf("Flavour %q has a key for extensions, and no extension with the format ddi, which is the only one that can be signed, and no feature by which machines add packages (layering).", s.Flavour.Name), v.At))
	}
	if len(v.Certificates) > 0 && !only {
		diags = append(diags, config.Warning(v.Certificates[0].Range, "Signatures that nothing asks for",
			"The machines of flavour %q have a certificate for extensions, and merge those without a signature as well: set %s = %q for base.", s.Flavour.Name, policyParameter, signedPolicy))
	}
	return diags
}

// placeOf returns the place of a parameter's value, or the place of the flavour if the parameter is not set.
func (s *Spec) placeOf(v Value) hcl.Range {
	if v.Range.Filename == "" {
		return s.Flavour.Range
	}
	return v.Range
}
