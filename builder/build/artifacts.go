package build

import (
	"path/filepath"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/publish"
)

// Artifact returns where an artifact of a subject, as its manifest calls it, is
// for users.
func (b *Builder) Artifact(s *Subject, name string) string { return s.Names.Path(b.Output(s), name) }

// Image returns the path of the disk image that a manifest lists.
func (b *Builder) Image(s *Subject, m *publish.Manifest) (string, error) {
	for _, a := range m.Artifacts {
		if a.Name == s.Image {
			return filepath.Join(b.Output(s).Public, a.Name), nil
		}
	}
	return "", diag.Requestf("%s", s.NoImage)
}
