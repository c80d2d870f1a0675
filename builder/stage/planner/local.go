package planner

import (
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
)

// LocalWants are the packages of a closure that features bring as files, as they are
// installed.
func (p *Planner) LocalWants(features []*config.Feature, c *distro.Closure) []distro.Want {
	var out []distro.Want
	for _, a := range c.Packages {
		l, ok := p.Packages.Local[a.SHA256]
		if ok && slices.ContainsFunc(features, func(f *config.Feature) bool { return f.Name == l.Feature }) {
			out = append(out, distro.Want{Name: l.Want.Name, Version: l.Want.Version})
		}
	}
	return out
}

// localSource is a source with the files of those packages of a closure that are not
// of an archive, each called by its SHA-256; none without such packages.
func (p *Planner) localSource(c *distro.Closure) ([]plan.Source, error) {
	files := map[string]string{}
	for _, a := range c.Packages {
		if l, ok := p.Packages.Local[a.SHA256]; ok {
			files[a.SHA256] = l.File
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	src, err := p.Sources.ImportRenamed(localSources, files)
	return []plan.Source{src}, err
}

// localSources is the name of that source.
const localSources = "local"
