package build

import (
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
)

// Artifact returns where an artifact of a subject, as its manifest calls it, is
// for users.
func (b *Builder) Artifact(s *Subject, name string) string {
	if t := s.Spec.Target; t != nil {
		return filepath.Join(b.options.Output, t.Base()+"."+name)
	}
	return filepath.Join(b.Output(s).Public, name)
}

// ImageName is what the manifest of a build calls the disk image. Of a cname it
// is the raw one, or else the only one that a feature makes under another name
// (ostree.raw).
func (s *Subject) ImageName() string {
	if s.Spec.Target == nil {
		return s.Flavour() + ".raw"
	}
	var others []string
	for _, a := range s.Spec.Artifacts {
		if a.Extension == "raw" {
			return a.Extension
		}
		if strings.HasSuffix(a.Extension, ".raw") {
			others = append(others, a.Extension)
		}
	}
	if len(others) == 1 {
		return others[0]
	}
	return "raw"
}

// Image returns the path of the disk image that a manifest lists.
func (b *Builder) Image(s *Subject, m *engine.Manifest) (string, error) {
	name := s.ImageName()
	for _, a := range m.Artifacts {
		if a.Name == name {
			return filepath.Join(b.Output(s).Public, a.Name), nil
		}
	}
	if s.Spec.Target != nil {
		return "", diag.Requestf("%s has no disk image (.raw): its features make something else", s.Flavour())
	}
	return "", diag.Requestf("flavour %q has no image: it needs a feature with stage: image (ostreeImage)", s.Flavour())
}
