package tree

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// imageScript is how the Garden Linux builder (make_get_artifact_rules) reads
// the names of image scripts. An extension is a chain of words that begin with
// a small letter, so that a version number is not taken for one.
var imageScript = regexp.MustCompile(`^(image|convert)((?:\.[a-z][a-zA-Z0-9_-]*)*)(~[a-z][a-zA-Z0-9_.-]*)?$`)

// Parts are the files of a feature that have to do with images and artifacts.
type Parts struct {
	// Images are the scripts image, image.EXT, convert.EXT and convert.EXT~FROM,
	// image before convert and then by name.
	Images []ImageScript
	// Asks are the extensions of such scripts that are empty: they make nothing
	// and yet ask for an artifact, which something else makes.
	Asks []string
	// Fstab and FstabMod say that there is a partition layout, or a program
	// that changes that of others; Requirements that requirements.mod is there.
	Fstab, FstabMod, Requirements bool
}

// ImageScript is a feature's program that makes one artifact of another.
type ImageScript struct {
	// File is its name in the feature's directory: "convert.raw~esp.tar".
	File string
	// Makes and Takes are extensions of artifacts, without the dot in front:
	// "raw", "esp.tar".
	Makes, Takes string
	Range        hcl.Range
}

// PartsOf returns the parts of a feature that was read by [Load], or with
// [BesideFlavours].
func PartsOf(f *config.Feature) *Parts {
	if p, ok := f.Extra.(*Parts); ok {
		return p
	}
	return &Parts{}
}

const requirementsMod = "requirements.mod"

// partNames are the names that a mistyped one may have been meant as.
var partNames = []string{"fstab", "fstab.mod", requirementsMod}

// readPart takes in a file that has to do with images and artifacts, and says
// whether it is one.
func readPart(fsys fs.FS, f *config.Feature, base, name string) (bool, hcl.Diagnostics) {
	p := PartsOf(f)
	var diags hcl.Diagnostics
	switch {
	case base == "fstab":
		p.Fstab = true
	case base == "fstab.mod":
		p.FstabMod = true
		diags = config.CheckProgram(fsys, name)
	case base == requirementsMod:
		p.Requirements = true // a shell reads it, nothing runs it
	case base == "image" || strings.HasPrefix(base, "image.") || strings.HasPrefix(base, "convert."):
		diags = p.readImageScript(fsys, base, name)
	default:
		return false, nil
	}
	f.Extra = p
	return true, diags
}

func (p *Parts) readImageScript(fsys fs.FS, base, name string) hcl.Diagnostics {
	invalid := func(summary, detail string) hcl.Diagnostics {
		return hcl.Diagnostics{config.Fault(config.FileStart(name), summary, "%s", detail)}
	}
	m := imageScript.FindStringSubmatch(base)
	info, err := fs.Stat(fsys, name)
	if err == nil && (info.Size() == 0 || info.IsDir()) {
		// In the Garden Linux builder (make_list_build_artifacts, which does not look
		// inside, and make_get_image_dependencies, which does) an empty one asks for
		// its artifact and leaves the making to others.
		if m != nil && m[2] != "" && !info.IsDir() {
			p.Asks = append(p.Asks, m[2][1:])
		}
		return nil
	}
	if m == nil {
		return invalid("Invalid extension", "The name of an image script is image, image.EXT, convert.EXT or convert.EXT~FROM, where an extension is made of words that begin with a small letter (.tar.gz).")
	}
	s := ImageScript{File: base, Makes: strings.TrimPrefix(m[2], "."), Takes: strings.TrimPrefix(m[3], "~"), Range: config.FileStart(name)}
	switch {
	case m[1] == "image" && s.Takes != "":
		return invalid("Invalid image script", "An image script makes its artifact from the tree. One that makes it from another artifact must be called convert.EXT~FROM.")
	case m[1] == "image":
		s.Makes, s.Takes = cmp.Or(s.Makes, "raw"), "tar"
	case s.Makes == "":
		return invalid("Invalid extension", "The name of a convert script ends in what it makes: convert.EXT.")
	default:
		s.Takes = cmp.Or(s.Takes, "raw")
	}
	p.Images = append(p.Images, s)
	slices.SortFunc(p.Images, func(a, b ImageScript) int {
		// "image" before "convert".
		return cmp.Or(strings.Compare(b.File[:1], a.File[:1]), strings.Compare(a.File, b.File))
	})
	return config.CheckProgram(fsys, name)
}
