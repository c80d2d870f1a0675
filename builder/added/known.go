package added

import (
	"context"
	"errors"
	"strings"

	"github.com/treewright/treewright/builder/diag"
)

// Known returns the one deployment whose commit begins with a text, and the URL of the directory that its images come from.
func (m *Machine) Known(ctx context.Context, begin string) (Deployment, string, error) {
	all, err := m.deployments(ctx)
	if err != nil {
		return Deployment{}, "", err
	}
	var found []Deployment
	for _, d := range all {
		if strings.HasPrefix(d.Commit, begin) {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		return Deployment{}, "", diag.Requestf("%d of the commits that this machine can boot begin with %q", len(found), begin)
	}
	base, err := m.baseOf(found[0])
	if err == nil && base == "" {
		err = errors.New(noServer)
	}
	return found[0], base, err
}
