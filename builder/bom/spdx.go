package bom

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/treewright/treewright/builder/distro"
)

// unknown is the value that SPDX has for unknown facts.
const unknown = "NOASSERTION"

// document is an SPDX document in the making.
type document struct {
	spdx.Document
	ids map[common.ElementID]bool
}

// SPDX returns the bill as SPDX 2.3 in JSON.
//
// Files belong to a package for each feature: only a package whose files were all looked
// at may have files.
func SPDX(b *Bill) ([]byte, error) {
	id, err := b.uuid()
	if err != nil {
		return nil, err
	}
	d := document{ids: map[common.ElementID]bool{}}
	d.SPDXVersion, d.DataLicense, d.SPDXIdentifier, d.DocumentName = spdx.Version, spdx.DataLicense, "DOCUMENT", b.Name
	// The form of names for those who have no server to serve documents from.
	d.DocumentNamespace = "https://spdx.org/spdxdocs/" + url.PathEscape(b.Name) + "-" + id
	d.CreationInfo = &spdx.CreationInfo{Created: b.time(), Creators: []common.Creator{{CreatorType: "Tool", Creator: "Treewright"}}}
	root := d.add(&spdx.Package{
		PackageSPDXIdentifier: d.id("System", b.Name), PackageName: b.Name, PackageVersion: b.Version, PackageSummary: b.Description,
		PackageDownloadLocation: unknown, PrimaryPackagePurpose: purpose(b), PackageComment: comment(b.Properties), IsFilesAnalyzedTagPresent: true,
	})
	d.relate(d.SPDXIdentifier, common.TypeRelationshipDescribe, root)
	d.packages(b, root)
	d.files(b, root)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d.Document); err != nil {
		return nil, fmt.Errorf("write SPDX: %w", err)
	}
	return out.Bytes(), nil
}

func purpose(b *Bill) string {
	if b.Extension {
		return "APPLICATION"
	}
	return "OPERATING_SYSTEM"
}

// comment returns properties as text: SPDX has no field for them.
func comment(all []Property) string {
	var lines []string
	for _, p := range all {
		lines = append(lines, p.Name+": "+p.Value)
	}
	return strings.Join(lines, "\n")
}

// id returns an identifier that no other element has, of letters, digits, "." and "-".
func (d *document) id(kind, name string) common.ElementID {
	var b strings.Builder
	b.WriteString(kind + "-")
	for _, c := range []byte(name) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "-%02X", c)
		}
	}
	id := common.ElementID(b.String())
	for n := 2; d.ids[id]; n++ {
		id = common.ElementID(fmt.Sprintf("%s-%d", b.String(), n))
	}
	d.ids[id] = true
	return id
}

func (d *document) add(p *spdx.Package) common.ElementID {
	d.Packages = append(d.Packages, p)
	return p.PackageSPDXIdentifier
}

func (d *document) relate(from common.ElementID, how string, to common.ElementID) {
	d.Relationships = append(d.Relationships, &spdx.Relationship{
		RefA: common.DocElementID{ElementRefID: from}, Relationship: how, RefB: common.DocElementID{ElementRefID: to},
	})
}

// packages adds the packages, the licences that are not in the list of SPDX, and dependencies.
func (d *document) packages(b *Bill, root common.ElementID) {
	ids := map[distro.Package]common.ElementID{}
	texts := map[string]string{}
	for _, p := range b.Packages {
		ids[p.Package] = d.add(d.pkg(p))
		d.relate(root, common.TypeRelationshipContains, ids[p.Package])
		maps.Copy(texts, p.Licence.Texts)
	}
	for _, p := range b.Packages {
		for _, on := range p.Depends {
			if to, ok := ids[on]; ok {
				d.relate(ids[p.Package], common.TypeRelationshipDependsOn, to)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		d.OtherLicenses = append(d.OtherLicenses, &spdx.OtherLicense{LicenseIdentifier: id, ExtractedText: texts[id]})
	}
}

func (d *document) pkg(p Package) *spdx.Package {
	out := &spdx.Package{
		PackageSPDXIdentifier: d.id("Package", p.Name+"-"+p.Arch), PackageName: p.Name, PackageVersion: p.Version, PackageSummary: p.Summary,
		PackageDownloadLocation: unknown, PackageLicenseConcluded: unknown, PackageLicenseDeclared: p.Licence.Expression, PackageCopyrightText: unknown,
		PackageSourceInfo:         "built from the source package " + p.Source + " " + p.SourceVersion,
		PackageSupplier:           &common.Supplier{Supplier: unknown},
		PackageExternalReferences: []*spdx.PackageExternalReference{{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: p.PURL}},
		IsFilesAnalyzedTagPresent: true,
	}
	if out.PackageLicenseDeclared == "" {
		out.PackageLicenseDeclared = unknown
	}
	if isURL(p.Homepage) {
		out.PackageHomePage = p.Homepage
	}
	if a, err := mail.ParseAddress(p.Maintainer); err == nil && a.Name != "" {
		out.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: a.Name + " (" + a.Address + ")"}
	}
	if p.SHA256 != "" {
		out.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: p.SHA256}}
	}
	if p.Feature != "" {
		out.PackageComment = "brought as a file by the feature " + p.Feature
	}
	return out
}

// files adds the files, in a package for each feature.
func (d *document) files(b *Bill, root common.ElementID) {
	byFeature := map[string][]File{}
	for _, f := range b.Files {
		byFeature[f.Feature] = append(byFeature[f.Feature], f)
	}
	for _, feature := range slices.Sorted(maps.Keys(byFeature)) {
		files := byFeature[feature]
		owner := d.add(&spdx.Package{
			PackageSPDXIdentifier: d.id("Feature", feature), PackageName: feature, PackageSummary: "the files of the feature " + feature, PackageDownloadLocation: unknown,
			FilesAnalyzed: true, IsFilesAnalyzedTagPresent: true, PackageVerificationCode: &common.PackageVerificationCode{Value: verification(files)},
			PackageLicenseConcluded: unknown, PackageLicenseDeclared: unknown, PackageCopyrightText: unknown,
		})
		d.relate(root, common.TypeRelationshipContains, owner)
		for _, f := range files {
			file := &spdx.File{
				FileSPDXIdentifier: d.id("File", f.Path), FileName: "." + f.Path, FileComment: "from " + f.By + " of the feature " + f.Feature,
				Checksums:        []common.Checksum{{Algorithm: common.SHA1, Value: f.SHA1}, {Algorithm: common.SHA256, Value: f.SHA256}},
				LicenseConcluded: unknown, FileCopyrightText: unknown,
			}
			d.Files = append(d.Files, file)
			d.relate(owner, common.TypeRelationshipContains, file.FileSPDXIdentifier)
		}
	}
}

// verification returns the package verification code of files (SPDX 2.3, 7.9).
func verification(files []File) string {
	var sums []string
	for _, f := range files {
		sums = append(sums, f.SHA1)
	}
	slices.Sort(sums)
	sum := sha1.Sum([]byte(strings.Join(sums, "")))
	return hex.EncodeToString(sum[:])
}

// isURL reports whether a home page is a URL that both formats accept.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.String() == text
}
