package build

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/difference"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/treefs"
)

// ofBuild is a build by its manifest, and the directory of its artifacts; "^" for each
// parent that is gone back to.
func (d *differ) ofBuild(name string, m *publish.Manifest, public, back string) (side, error) {
	repoName := m.Repository()
	if m.Commit != "" && repoName != "" {
		repo, err := ostree.Open(filepath.Join(public, repoName))
		if err != nil {
			return side{}, fmt.Errorf("the repository of %s: %w", name, err)
		}
		sum, _, err := revision(repo, name, m.Commit+back)
		if err != nil {
			return side{}, err
		}
		s, err := d.ofCommit(name, repo, sum, m.Ref)
		if err != nil || back != "" {
			return s, err
		}
		s.Kind = "build"
		d.addBuild(&s.Side, m, public)
		return s, nil
	}
	if back != "" {
		return side{}, diag.Requestf("%s has no commit, so it has no parent", strings.TrimSuffix(name, back))
	}
	s := side{Side: difference.Side{Name: name, Kind: "build", Commit: m.Commit, Ref: m.Ref, Version: m.Version}}
	s.addSums(m.Packages)
	d.addBuild(&s.Side, m, public)
	return s, nil
}

// ofOutput is the build in an output directory: the one with the artifacts, or with the
// manifest.
func (d *differ) ofOutput(name, dir string) (side, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return side{}, err
	}
	if exists(filepath.Join(dir, publish.ManifestName)) {
		return d.ofFile(filepath.Join(dir, publish.ManifestName))
	}
	out := publish.OutputOf(filepath.Dir(dir), filepath.Base(dir))
	if !exists(out.Manifest()) {
		return side{}, diag.Requestf("%s is neither a repository nor the output of a build: it has no %s", name, publish.ManifestName)
	}
	m, err := publish.ReadManifest(out)
	if err != nil {
		return side{}, err
	}
	return d.ofBuild(name, m, out.Public, "")
}

// largestList is more than manifests and lock files have, in bytes.
const largestList = 256 << 20

// ofFile is a manifest or a lock file.
func (d *differ) ofFile(name string) (side, error) {
	raw, err := treefs.ReadFile(name, largestList)
	if err != nil {
		return side{}, fmt.Errorf("read %s: %w", name, err)
	}
	if flavour, ok := lock.FlavourOf(filepath.Base(name)); ok {
		return d.ofLock(name, flavour, raw)
	}
	var m publish.Manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.Flavour == "" {
		return side{}, diag.Requestf("%s is neither a manifest nor a lock file, which is called FLAVOUR.lock.json", name)
	}
	// The artifacts of a manifest in an output are beside the directory of manifests.
	public := filepath.Dir(name)
	if abs, err := filepath.Abs(public); err == nil {
		root := filepath.Dir(filepath.Dir(abs))
		if out := publish.OutputOf(root, filepath.Base(abs)); out.Private == abs {
			public = out.Public
		}
	}
	if repo := m.Repository(); repo != "" && !exists(filepath.Join(public, repo)) {
		m.Artifacts = nil // it is a manifest alone: its packages are compared
	}
	return d.ofBuild(name, &m, public, "")
}

// ofLock is a lock file: the packages of the system.
func (d *differ) ofLock(name, flavour string, raw []byte) (side, error) {
	l, err := lock.Parse(name, flavour, raw)
	if err != nil {
		return side{}, err
	}
	system := l.Closure(lock.Rootfs)
	if system == nil {
		return side{}, diag.Requestf("%s has no list %q", name, lock.Rootfs)
	}
	packages := publish.ManifestPackages(system)
	s := side{Side: difference.Side{Name: name, Kind: "lock", Time: l.Date(), Packages: reported(packages), Known: true}}
	s.addSums(packages)
	return s, nil
}

// causes finds out which feature or step a file of a build is from, by the layers; nil if
// they are not those of the build any more.
func (d *differ) causes(m *publish.Manifest) func(string) string {
	steps, keys := d.b.knownSteps(m.Flavour), m.Keys()
	kept, err := cache.Open(d.b.options.Cache)
	if err != nil || len(steps) == 0 {
		return nil
	}
	type above struct {
		known
		dir string
	}
	var layers []above
	for _, s := range steps {
		if !s.Tree || strings.HasPrefix(s.ID, "extension/") {
			continue
		}
		dir := kept.Store.Data(s.Key)
		if there, err := d.held.Hold(filepath.Dir(dir)); keys[s.ID] != s.Key || err != nil || !there {
			return nil
		}
		layers = append(layers, above{s, dir})
	}
	return func(name string) string {
		for i := len(layers) - 1; i >= 0; i-- {
			s := layers[i]
			what := layer.TouchOf(s.dir, name).What
			if what == "" || what == "directory" || what == "removes" && s.Action == shape.Action.Name() {
				continue
			}
			words := strings.Split(s.ID, "/")
			switch {
			case s.Action == planner.InstallAction.Name() || s.Action == planner.BootstrapAction.Name():
				return difference.OfPackages
			case words[len(words)-1] == config.FlavourFeature:
				return "the flavour itself"
			case len(words) == 3:
				return "feature " + words[2]
			}
			return "generated: " + s.ID
		}
		return ""
	}
}
