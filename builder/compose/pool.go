package compose

import (
	"slices"

	"github.com/treewright/treewright/builder/distro"
)

// poolParameter is the parameter of the feature with the commit stage that lists the packages that machines may add
// later. A feature that does not declare it does not have a pool.
const poolParameter = "pool"

// Pool are the packages that are published with each commit, so that machines of the commit can add them later. The list has each package once.
func (s *Spec) Pool() []Want {
	v, _ := s.StageParameter("commit", poolParameter)
	var wants []Want
	for i, name := range v.List() {
		if slices.ContainsFunc(wants, func(w Want) bool { return w.Name == name }) {
			continue
		}
		w := Want{Want: distro.Want{Name: name}, Range: v.Range}
		if i < len(v.Elements) {
			w.Range = v.Elements[i]
		}
		wants = append(wants, w)
	}
	return wants
}
