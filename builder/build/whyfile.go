package build

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/treefs"
)

// Change is what a step did to a file of a tree.
type Change struct {
	// What is as in [layer.ChangeOf], or "moves" for a file that the commit has elsewhere.
	What  string `json:"what"`
	Step  string `json:"step"`
	Title string `json:"title"`
	// Feature is the one whose step it is, "" for none. From is the file of a feature, or
	// the line of the configuration, that it comes from.
	Feature string `json:"feature,omitempty"`
	From    string `json:"from,omitempty"`
	// Package is the one that has the file, if the step installs packages.
	Package *Chosen `json:"package,omitempty"`
	// Mode has the type and permissions as ls(1) shows them, and Owner is "USER GROUP".
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`
	Bytes int64  `json:"bytes,omitempty"`
	// Directory is the one that the step removed with the file in it.
	Directory string `json:"directory,omitempty"`
}

// Chosen is a package, and the source that it was chosen from, as far as it is known.
type Chosen struct {
	distro.Package
	Source string `json:"source,omitempty"`
	Suite  string `json:"suite,omitempty"`
}

// FileStory is what is known of a file.
type FileStory struct {
	Path string `json:"path"`
	// Changes are by the layers of the system and of its extensions, the oldest first.
	Changes []Change `json:"changes"`
	// Missing is how many of these layers are not in the cache.
	Missing int `json:"missing_layers"`
	// Committed is where the last published commit has it.
	Committed
}

// Why returns what is known of a file. name is absolute within the tree.
func (l *Layers) Why(name string) (*FileStory, error) {
	story := &FileStory{Path: machine.Canonical(filepath.Clean(name))}
	var err error
	story.Changes, story.Missing, err = l.changes(story.Path)
	if err != nil || len(story.Changes) == 0 {
		return story, err
	}
	story.Committed, err = l.committed(story.Path)
	for i := range story.Changes {
		c := &story.Changes[i]
		if c.What == "removes" && len(story.Paths)+len(story.Rules) > 0 && l.shapes(c.Step) {
			c.What = "moves"
		}
	}
	return story, err
}

// changes are what the layers did to a file, given by its canonical path, the oldest first,
// and how many layers are not in the cache.
func (l *Layers) changes(name string) (changes []Change, missing int, err error) {
	owners := l.owners()
	changes = []Change{}
	missing, err = l.each(func(s *known, dir string) {
		touch := layer.TouchOf(dir, name)
		// A directory may be removed that never had the file.
		if touch.What == "" || touch.By != "" && (len(changes) == 0 || changes[len(changes)-1].What == "removes") {
			return
		}
		c := Change{What: touch.What, Step: s.ID, Title: s.Title, Feature: l.featureOf(s), From: l.from(s, name), Package: l.packageOf(s, dir, name)}
		if touch.By != "" {
			c.Directory = "/" + touch.By
		}
		if info := touch.Info; info != nil {
			c.Mode, c.Bytes = info.Mode().String(), info.Size()
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				c.Owner = treefs.OwnerName(owners.Users, st.Uid) + " " + treefs.OwnerName(owners.Groups, st.Gid)
			}
		}
		changes = append(changes, c)
	})
	return changes, missing, err
}

// shapes reports whether a step brings the tree into OSTree's shape: what it removes is
// elsewhere in the commit.
func (l *Layers) shapes(step string) bool {
	return slices.ContainsFunc(l.steps, func(s known) bool { return s.ID == step && s.Action == shape.Action.Name() })
}

// featureOf is the feature that a step belongs to; "" if it belongs to none.
func (l *Layers) featureOf(s *known) string {
	feature, _ := FeatureOf(l.subject, s.ID)
	return feature
}

// packageOf is the package with a file, of those that a step installs.
func (l *Layers) packageOf(s *known, dir, name string) *Chosen {
	if s.Action != planner.InstallAction.Name() && s.Action != planner.BootstrapAction.Name() {
		return nil
	}
	db := l.distro.Database()
	at := filepath.Join(dir, db.Dir())
	names := db.Owners(at, name)
	if before := strings.TrimPrefix(name, "/usr"); machine.Canonical(before) == name {
		names = append(names, db.Owners(at, before)...) // a package may still have that path
	}
	if len(names) == 0 {
		return nil
	}
	state, err := os.ReadFile(filepath.Join(at, db.StateFile()))
	if err != nil {
		return &Chosen{Package: distro.Package{Name: names[0]}}
	}
	for _, p := range db.ReadState(string(state)).Installed {
		if slices.Contains(names, p.Name) {
			return l.chosen(p)
		}
	}
	return &Chosen{Package: distro.Package{Name: names[0]}}
}

// chosen adds to a package where the last finished build had it from.
func (l *Layers) chosen(p distro.Package) *Chosen {
	c := &Chosen{Package: p}
	if l.manifest == nil {
		return c
	}
	all := slices.Clone(l.manifest.Packages)
	for _, more := range l.manifest.Extensions {
		all = append(all, more...)
	}
	for _, m := range all {
		if m.Package != p {
			continue
		}
		c.Source = m.Source
		var suites []string
		for _, s := range l.manifest.Distribution.Sources {
			if s.Name == c.Source {
				suites = append(suites, s.Suite)
			}
		}
		if len(suites) == 1 {
			c.Suite = suites[0]
		}
		break
	}
	return c
}

// from is the file of a feature, or the line of the configuration, that a step has a file
// from; "" if that is not known.
func (l *Layers) from(s *known, name string) string {
	phase, feature := wordsOf(s.ID)
	generated := s.Action == rootfs.FilesAction.Name()
	if generated {
		if place := l.placeOf(feature, name); place != "" {
			return place
		}
	}
	f := featureNamed(l.subject, feature)
	if f == nil {
		return ""
	}
	if !generated {
		return path.Join(f.Place(), phase)
	}
	dir, err := l.builder.FeatureDir(f)
	if err != nil {
		return path.Join(f.Place(), phase)
	}
	for _, as := range []string{name, strings.TrimPrefix(name, "/usr")} {
		if _, err := os.Lstat(filepath.Join(dir, "file.include", as)); err == nil {
			return path.Join(f.Place(), "file.include", as)
		}
	}
	if f.Scripts["exec.build"] {
		return path.Join(f.Place(), "exec.build")
	}
	return path.Join(f.Place(), "file.include")
}

// placeOf is the line that a file of a feature is generated by; "" if it is not.
func (l *Layers) placeOf(feature, name string) string {
	best := config.Generated{}
	for _, g := range l.subject.Spec.Generated[feature] {
		if (g.Path == name || g.Source != "" && strings.HasPrefix(name, strings.TrimSuffix(g.Path, "/")+"/")) && len(g.Path) >= len(best.Path) {
			best = g
		}
	}
	if best.Path == "" {
		return ""
	}
	return config.PlaceOf(best.Range)
}

// String is the package with its version and source.
func (c *Chosen) String() string {
	text := strings.TrimRight(c.Name+" "+c.Version, " ")
	switch {
	case c.Source == "":
		return text
	case c.Suite == "" || c.Suite == c.Source:
		return text + " from " + c.Source
	}
	return fmt.Sprintf("%s from %s (%s)", text, c.Source, c.Suite)
}
