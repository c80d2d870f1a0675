package stages

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/treefs"
)

// builderMentions are what a file says that looks for more of /builder than
// itself, or for where it lies.
var builderMentions = regexp.MustCompile(`/builder\b|\b(features|cert)/|requirements\.defs|keyring\.gpg|BASH_SOURCE|\$\{?0\b|\bdirname\b|\.\./`)

// seen chooses what a script sees below /builder. The
// reference shows it everything. Then any change to any feature would repeat
// every script, so one that never mentions /builder or of its own place gets
// its own folder alone.
func seen(p *stage.Planner, f *config.Feature, script string) ([]plan.Source, error) {
	dir, pick := p.FeatureDir(f), source.Beside(script)
	curious, err := mentions(dir, pick, builderMentions)
	if err != nil {
		return nil, err
	}
	if curious {
		return wholeBuilder(p)
	}
	src, err := p.Sources.Import("features/"+f.Name, dir, pick)
	return []plan.Source{src}, err
}

// wholeBuilder is all that the Garden Linux builder mounts below /builder.
func wholeBuilder(p *stage.Planner) ([]plan.Source, error) {
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
	// There are secret keys in it: it is read where it lies, not copied.
	digest, err := source.DigestDir(cert)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cert, err)
	}
	return append(sources, plan.Source{Name: "cert", Digest: "sha256:" + digest, Path: cert}), nil
}

// mentions says whether any file below dir that pick chooses matches, or is a
// link out of the folder.
func mentions(dir string, pick func(string, bool) bool, what *regexp.Regexp) (bool, error) {
	found := false
	// The folder itself may be a link, which is not walked into.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, err
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case !pick(filepath.ToSlash(rel), d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type() == fs.ModeSymlink:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			inside, err := filepath.Rel(dir, filepath.Join(filepath.Dir(path), to))
			if filepath.IsAbs(to) || err != nil || !filepath.IsLocal(inside) {
				found = true
			}
		case d.Type().IsRegular():
			text, err := treefs.ReadFile(path, treefs.MostFile)
			if large := (*treefs.SizeError)(nil); errors.As(err, &large) {
				found = true // nobody knows what it mentions
				return nil
			}
			if err != nil {
				return err
			}
			// The helper programs are there for every script.
			text = bytes.ReplaceAll(text, []byte(helperDir), nil)
			found = found || what.Match(text)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read %s: %w", dir, err)
	}
	return found, nil
}
