package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treefs"
)

// sources chooses what a script sees below /builder. The Garden Linux builder shows
// it everything. Then any change to any feature would repeat every script, so one
// that never mentions /builder or its own place gets its own directory alone.
func sources(p *planner.Planner, f *config.Feature, script string, found *scanned) ([]plan.Source, error) {
	if found.tree != "" {
		return wholeBuilder(p)
	}
	src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Beside(script))
	return []plan.Source{src}, err
}

// wholeBuilder is all that the Garden Linux builder mounts below /builder.
func wholeBuilder(p *planner.Planner) ([]plan.Source, error) {
	features, err := p.Sources.ImportAsIs(config.FeaturesDir, filepath.Join(p.Project, config.FeaturesDir))
	if err != nil {
		return nil, err
	}
	sources := []plan.Source{features}
	for _, name := range []string{"keyring.gpg", "requirements.defs"} {
		src, err := p.Sources.ImportFile(name, filepath.Join(p.Project, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	cert := filepath.Join(p.Project, "cert")
	if !treefs.Exists(cert) {
		return sources, nil
	}
	// There are secret keys in it: it is read where it is, not copied.
	digest, err := source.DigestDir(cert)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cert, err)
	}
	return append(sources, plan.Source{Name: "cert", Digest: "sha256:" + digest, Path: cert}), nil
}
