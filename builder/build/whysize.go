package build

import (
	"cmp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
)

// SizeStory is where the bytes of the system's tree are, before it becomes a commit. Each
// list adds up to Bytes.
type SizeStory struct {
	Bytes       int64         `json:"bytes"`
	Features    []report.Item `json:"features"`
	Packages    []report.Item `json:"packages"`
	Directories []report.Item `json:"directories"`
}

// noPackage is the item of files that no package has.
const noPackage = "files of no package"

// WhySize returns where the bytes of the system are. The results of the last build must be
// in the cache.
func (p *Prepared) WhySize() (*SizeStory, error) {
	files, err := p.sized(reported(publish.ManifestPackages(p.Packages.System)))
	if err != nil {
		return nil, err
	}
	features, ofPackages, dirs := map[string]int64{}, map[string]int64{}, map[string]int64{}
	story := &SizeStory{}
	for _, f := range files {
		story.Bytes += f.bytes
		features[f.group] += f.bytes
		ofPackages[cmp.Or(f.pkg, noPackage)] += f.bytes
		dirs[topOf(f.path)] += f.bytes
	}
	story.Features, story.Packages, story.Directories = largest(features), largest(ofPackages), largest(dirs)
	return story, nil
}

// largest are items by their sizes, the largest first; empty ones are left out.
func largest(sizes map[string]int64) []report.Item {
	items := []report.Item{}
	for name, bytes := range sizes {
		if bytes > 0 {
			items = append(items, report.Item{Name: name, Bytes: bytes})
		}
	}
	slices.SortFunc(items, func(a, b report.Item) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
	})
	return items
}
