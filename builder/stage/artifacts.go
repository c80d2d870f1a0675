package stage

import (
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/bill"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/extension"
	"github.com/treewright/treewright/builder/stage/image"
)

// Artifacts are those that the steps of a flavour hand out, known without a plan.
func Artifacts(spec *compose.Spec) ([]plan.Artifact, error) {
	all := commit.Artifacts(spec)
	images, err := image.Artifacts(spec)
	all = append(all, images...)
	for _, ext := range spec.Extensions {
		all = append(all, extension.Artifacts(spec, ext)...)
	}
	return append(all, bill.Artifacts(spec)...), err
}
