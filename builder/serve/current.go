package serve

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// current returns the listing as the manifests are now. Manifests are read
// again when they changed only.
func (h *Handler) current(root *os.Root) *listing {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := h.flavours
	if names == nil {
		entries, err := fs.ReadDir(root.FS(), ".")
		if err != nil {
			h.note(fmt.Sprintf("reading the output directory: %v", err))
		}
		for _, e := range entries {
			if validName(e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	var flavours []*flavour
	for _, name := range names {
		if f := h.load(root, name, h.list.flavour(name)); f != nil {
			flavours = append(flavours, f)
		}
	}
	if slices.Equal(flavours, h.list.flavours) {
		return h.list
	}
	list := &listing{flavours: flavours, short: map[string]*flavour{}}
	for _, f := range flavours {
		for _, a := range f.artifacts {
			if first := list.short[a.Name]; first != nil {
				h.note(fmt.Sprintf("%s is an artifact of %s and of %s: /%s is that of %s", a.Name, first.name, f.name, a.Name, first.name))
				continue
			}
			list.short[a.Name] = f
		}
	}
	h.list = list
	return list
}

// load returns a flavour, which is the old one if its manifest is unchanged,
// and nil if it has none. A manifest that cannot be understood leaves the old
// one in force.
func (h *Handler) load(root *os.Root, name string, old *flavour) *flavour {
	file := publish.OutputOf("", name).Manifest()
	info, err := root.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if old != nil && os.SameFile(old.info, info) && old.info.Size() == info.Size() && old.changed.Equal(changeTime(info)) {
		return old
	}
	raw, err := root.ReadFile(file)
	if err != nil {
		h.note(fmt.Sprintf("reading %s: %v", file, err))
		return old
	}
	var manifest publish.Manifest
	if err := json.Unmarshal(raw, &manifest); err != nil {
		h.note(fmt.Sprintf("reading %s: %v", file, err))
		return old
	}
	f := &flavour{name: name, info: info, changed: changeTime(info)}
	for _, a := range manifest.Artifacts {
		switch {
		case !validName(a.Name):
			h.note(fmt.Sprintf("%s: an artifact called %q cannot be served", file, a.Name))
		case !slices.Contains(kinds, a.Kind):
			h.note(fmt.Sprintf("%s: %s is of the unknown kind %q and is not served", file, a.Name, a.Kind))
		case f.artifact(a.Name) == nil:
			f.artifacts = append(f.artifacts, a)
		}
	}
	slices.SortFunc(f.artifacts, func(a, b artifact) int { return strings.Compare(a.Name, b.Name) })
	f.summary = summarize(&manifest, f.artifacts)
	h.remember(root, f)
	return f
}

// remember reads the history of a flavour that has one.
func (h *Handler) remember(root *os.Root, f *flavour) {
	repo := f.repository()
	if repo == nil || f.summary.Commit == "" {
		return
	}
	// A link may lead out of the directory.
	if info, err := root.Lstat(filepath.Join(f.name, repo.Name)); err != nil || !info.IsDir() {
		return
	}
	var err error
	if f.past, f.more, err = history(filepath.Join(h.root, f.name, repo.Name), f.summary.Commit); err != nil {
		h.note(fmt.Sprintf("reading the history of %s: %v", f.name, err))
	}
}

// kinds are those of artifacts that are served.
var kinds = []plan.ArtifactKind{plan.FileArtifact, plan.DirArtifact, plan.RepositoryArtifact}

// note tells each thing once. The caller holds the lock.
func (h *Handler) note(line string) {
	if h.noted[line] {
		return
	}
	h.noted[line] = true
	h.log(line)
}
