package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
)

// Manifest describes the results, inputs and steps of a build. The caller sets the
// inputs in [Finished.Manifest]; the publication sets the fields from Ref on.
type Manifest struct {
	Flavour       string                       `json:"flavour"`
	Description   string                       `json:"description,omitempty"`
	Distribution  ManifestDistribution         `json:"distribution"`
	CanonicalName string                       `json:"cname"`
	Features      []string                     `json:"features"`
	Parameters    map[string]map[string]any    `json:"parameters"`
	Packages      []ManifestPackage            `json:"packages"`
	Extensions    map[string][]ManifestPackage `json:"extensions,omitempty"`
	// Pool are the packages that machines may add to the commit, with their dependencies.
	Pool  []ManifestPackage `json:"pool,omitempty"`
	Tools []ManifestTools   `json:"tools"`
	// Listens are the sockets on which other machines may reach the system, as its features
	// name them; nil in manifests of earlier versions. KernelArgs are the arguments of the
	// kernel on machines made from the image.
	Listens    []string `json:"listens"`
	KernelArgs []string `json:"kernel_args,omitempty"`
	Ref        string   `json:"ref,omitempty"`
	Commit     string   `json:"commit,omitempty"`
	Parent     string   `json:"parent,omitempty"`
	Version    string   `json:"version,omitempty"`
	// SignedBy is the fingerprint of the key that signed the commit, the sums and the
	// manifest; "" for an unsigned build.
	SignedBy  string             `json:"signed_by,omitempty"`
	Artifacts []ManifestArtifact `json:"artifacts"`
	Steps     []ManifestStep     `json:"steps"`
}

// ManifestDistribution describes where the packages come from.
type ManifestDistribution struct {
	Family string `json:"family"`
	Suite  string `json:"suite"`
	Arch   string `json:"arch"`
	Mirror string `json:"mirror"`
	// Release is the SHA-256 of the release file of the distribution's archive.
	Release string `json:"release_sha256"`
	// Sources are all archives that packages were chosen from, the distribution's archive first.
	Sources []ManifestSource `json:"sources"`
}

// ManifestSource is one suite of an archive.
type ManifestSource struct {
	Name       string   `json:"name"`
	URL        string   `json:"url"`
	Suite      string   `json:"suite"`
	Components []string `json:"components,omitempty"`
	// Packages are the patterns of names that come from this source alone, and
	// Priority is the priority in apt_preferences(5), if they are set.
	Packages []string `json:"packages,omitempty"`
	Priority int      `json:"priority,omitempty"`
	Release  string   `json:"release_sha256"`
}

// ManifestTools are the packages of the tools for a purpose, with the packages that they
// were installed on. They are from a suite of the same archive.
type ManifestTools struct {
	Purpose string `json:"purpose"`
	Suite   string `json:"suite"`
	Arch    string `json:"arch"`
	// Release is the SHA-256 of the release file.
	Release  string            `json:"release_sha256"`
	Packages []ManifestPackage `json:"packages"`
}

// ManifestPackage is an exact package.
type ManifestPackage struct {
	distro.Package
	// SHA256 is the hash of the file in the archive; "" for a package that a script installed.
	SHA256 string `json:"sha256,omitempty"`
	// Source is the name of the source that it came from, or "" if it is not known.
	Source string `json:"source,omitempty"`
}

// ManifestArtifact is a file or directory in the public directory.
type ManifestArtifact struct {
	Name        string            `json:"name"`
	Kind        plan.ArtifactKind `json:"kind"`
	Size        int64             `json:"size"`
	SHA256      string            `json:"sha256,omitempty"`
	Description string            `json:"description"`
	// Verity is set for a disk image with dm-verity.
	Verity *ManifestVerity `json:"verity,omitempty"`
}

// ManifestVerity has the signed part of a disk image, the root hash. DataAt and SignatureAt are
// the offsets of the partitions of the file system and of the signature, in bytes. SignatureAt is 0
// without a signature.
type ManifestVerity struct {
	RootHash    string `json:"root_hash"`
	DataAt      int64  `json:"data_at"`
	SignatureAt int64  `json:"signature_at,omitempty"`
}

// ManifestStep is one step of the build.
type ManifestStep struct {
	ID  string `json:"id"`
	Key string `json:"key"`
	// Seconds is the duration of the step's run. Cached reports that the step ran in
	// an earlier build.
	Seconds float64 `json:"seconds"`
	Cached  bool    `json:"cached"`
	Log     string  `json:"log,omitempty"` // relative to the manifest
	// Warnings are the warnings of the step, also of an earlier run.
	Warnings []string `json:"warnings,omitempty"`
}

// Repository is the name of the OSTree repository among the artifacts, "" without one.
func (m *Manifest) Repository() string {
	for _, a := range m.Artifacts {
		if a.Kind == plan.RepositoryArtifact {
			return a.Name
		}
	}
	return ""
}

// Keys are the keys of the steps, by their IDs.
func (m *Manifest) Keys() map[string]string {
	keys := map[string]string{}
	for _, s := range m.Steps {
		keys[s.ID] = s.Key
	}
	return keys
}

// sums lists the artifacts that are files in the format of sha256sum in binary mode.
func (m *Manifest) sums() []byte {
	var b bytes.Buffer
	for _, a := range m.Artifacts {
		if a.Kind == plan.FileArtifact && a.SHA256 != "" {
			fmt.Fprintf(&b, "%s *%s\n", a.SHA256, a.Name)
		}
	}
	return b.Bytes()
}

// ManifestPackages are the packages of a set in the form of a manifest.
func ManifestPackages(c *distro.Closure) []ManifestPackage {
	out := make([]ManifestPackage, len(c.Packages))
	for i, p := range c.Packages {
		out[i] = ManifestPackage{p.Package, p.SHA256, p.Source}
	}
	return out
}

// addStep notes a step and its artifacts, and copies the findings of the commit
// step.
func (m *Manifest) addStep(s *plan.Step, r layer.Result, cached bool) {
	m.Steps = append(m.Steps, ManifestStep{
		ID: s.ID, Key: r.Key, Seconds: r.Duration.Round(time.Millisecond).Seconds(), Cached: cached, Log: filepath.Join(logsDir, plan.LogName(s.ID)), Warnings: r.Warnings,
	})
	m.notePackages(r.Facts)
	if c := r.Facts["commit"]; c != "" && s.Stage == "commit" {
		m.Ref, m.Commit, m.Parent, m.Version = r.Facts["ref"], c, r.Facts["parent"], r.Facts["version"]
	}
	files := map[string]layer.File{}
	for _, f := range r.Files {
		files[f.Name] = f
	}
	for _, a := range s.Artifacts {
		if a.Kind == plan.DeltasArtifact || a.Kind == plan.PoolArtifact {
			continue
		}
		out := ManifestArtifact{Name: a.Name, Kind: a.Kind, Size: files[a.Name].Size, SHA256: files[a.Name].SHA256, Description: a.Description}
		if v, ok := task.VerityOf(r.Facts); ok && a.Kind == plan.FileArtifact {
			out.Verity = &ManifestVerity{v.RootHash, v.DataAt, v.SignatureAt}
		}
		m.Artifacts = append(m.Artifacts, out)
	}
}

// notePackages copies the packages that a step found in its tree, which
// can differ from the resolved packages.
func (m *Manifest) notePackages(facts map[string]string) {
	if extension, packages := task.PackagesOf(facts); extension != "" {
		m.Extensions[extension] = listed(packages, m.Extensions[extension])
	} else if packages != nil {
		m.Packages = listed(packages, m.Packages)
	}
}

// listed are the packages that a tree has in the end, with the details of the resolved
// packages.
func listed(packages []distro.Package, resolved []ManifestPackage) []ManifestPackage {
	known := map[distro.Package]ManifestPackage{}
	for _, p := range resolved {
		known[p.Package] = p
	}
	out := make([]ManifestPackage, len(packages))
	for i, p := range packages {
		out[i] = ManifestPackage{p, known[p].SHA256, known[p].Source}
	}
	return out
}

func readManifest(path string) (*Manifest, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", path, err)
	}
	return &m, nil
}
