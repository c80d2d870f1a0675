package config

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// imageScript is how the Garden Linux builder (make_get_artifact_rules) reads
// the names of image scripts. An extension is a chain of words that begin with
// a small letter, so that a version number is not taken for one.
var imageScript = regexp.MustCompile(`^(image|convert)((?:\.[a-z][a-zA-Z0-9_-]*)*)(~[a-z][a-zA-Z0-9_.-]*)?$`)

// readImageFile takes in a file that has to do with images and artifacts, and
// says whether it is one.
func (l *loader) readImageFile(f *Feature, base, name string) bool {
	switch {
	case base == "fstab":
		f.Fstab = true
	case base == "fstab.mod":
		f.FstabMod = true
		l.checkProgram(name)
	case base == "requirements.mod":
		f.Requirements = true
		// It is read by a shell, not run, and means nothing to flavours.
		return true
	case base == "image" || strings.HasPrefix(base, "image.") || strings.HasPrefix(base, "convert."):
		l.readImageScript(f, base, name)
	default:
		return false
	}
	if !l.project.Foreign {
		l.say(warning(fileStart(name), "File without effect on flavours", "%s describes or makes images in the Garden Linux builder, and is used when a cname is built. For flavours the feature with stage: image does that, and it has a layout of its own.", base))
	}
	return true
}

func (l *loader) readImageScript(f *Feature, base, name string) {
	m := imageScript.FindStringSubmatch(base)
	info, err := fs.Stat(l.fsys, name)
	if err == nil && (info.Size() == 0 || info.IsDir()) {
		// In the reference (make_list_build_artifacts, which does not look inside,
		// and make_get_image_dependencies, which does) an empty one asks for its
		// artifact and leaves the making to others.
		if m != nil && m[2] != "" && !info.IsDir() {
			f.Asks = append(f.Asks, m[2][1:])
		}
		return
	}
	if m == nil {
		l.say(fault(fileStart(name), "Invalid extension", "The name of an image script is image, image.EXT, convert.EXT or convert.EXT~FROM, where an extension is made of words that begin with a small letter (.tar.gz)."))
		return
	}
	s := ImageScript{File: base, Makes: strings.TrimPrefix(m[2], "."), Takes: strings.TrimPrefix(m[3], "~"), Range: fileStart(name)}
	switch {
	case m[1] == "image" && s.Takes != "":
		l.say(fault(fileStart(name), "Invalid image script", "An image script makes its artifact of the tree. One that makes it of another artifact is called convert.EXT~FROM."))
		return
	case m[1] == "image":
		s.Makes, s.Takes = cmp.Or(s.Makes, "raw"), "tar"
	case s.Makes == "":
		l.say(fault(fileStart(name), "Invalid extension", "A convert script says in its name what it makes: convert.EXT."))
		return
	default:
		s.Takes = cmp.Or(s.Takes, "raw")
	}
	l.checkProgram(name)
	f.Images = append(f.Images, s)
	slices.SortFunc(f.Images, func(a, b ImageScript) int {
		// "image" before "convert".
		return cmp.Or(strings.Compare(b.File[:1], a.File[:1]), strings.Compare(a.File, b.File))
	})
}
