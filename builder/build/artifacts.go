package build

import (
	"path/filepath"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/publish"
)

// Artifact returns where an artifact of a subject, as its manifest calls it, is
// for users.
func (b *Builder) Artifact(s *Subject, name string) string { return s.Names.Path(b.Output(s), name) }

// Image is a disk image that was built.
type Image struct {
	// Format is what QEMU calls its format.
	Path, Format string
}

// Image returns the disk image, of those that a manifest lists, that a machine is
// started with.
func (b *Builder) Image(s *Subject, m *publish.Manifest) (Image, error) {
	image, ok := s.Image(m)
	if !ok {
		return Image{}, diag.Requestf("%s", s.NoImage)
	}
	return Image{filepath.Join(b.Output(s).Public, image.Name), image.Format}, nil
}
