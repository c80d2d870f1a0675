package added

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Deployment is a commit that the machine can boot.
type Deployment struct {
	Commit  string `json:"checksum"`
	Version string `json:"version"`
	// Refspec is the branch that the deployment follows, REMOTE:REF.
	Refspec string `json:"refspec"`
	Booted  bool   `json:"booted"`
	// Pending marks the deployment for the next boot, unless it is the booted one. If it is also Staged, it
	// is completed when the machine shuts down, unless it is Locked.
	Pending  bool `json:"pending"`
	Staged   bool `json:"staged"`
	Locked   bool `json:"finalization-locked"`
	Rollback bool `json:"rollback"`
}

// deployments returns the deployments of the machine, in the order in which it would boot them.
func (m *Machine) deployments(ctx context.Context) ([]Deployment, error) {
	if err := m.booted(); err != nil {
		return nil, err
	}
	// Signatures of commits are not needed here, and libostree fails if a commit of a remote with gpg-verify
	// does not have a signature.
	text, err := m.output(ctx, "ostree", "admin", "status", "--json", "--skip-signatures")
	if err != nil {
		return nil, fmt.Errorf("ask for deployments: %w", err)
	}
	var status struct {
		Deployments []Deployment `json:"deployments"`
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return nil, fmt.Errorf("read the list of deployments that ostree prints: %w", err)
	}
	return status.Deployments, nil
}

// bootedOf returns the booted deployment.
func bootedOf(all []Deployment) (Deployment, error) {
	for _, d := range all {
		if d.Booted {
			return d, nil
		}
	}
	return Deployment{}, ErrNoDeployment
}

// following are the deployments whose images follow the list of packages: the booted deployment, and the deployment of the next boot.
// Other deployments keep their images, for a rollback.
func following(all []Deployment) []Deployment {
	var out []Deployment
	for _, d := range all {
		if d.Booted {
			out = append([]Deployment{d}, out...)
		} else if d.Pending || d.Staged {
			out = append(out, d)
		}
	}
	return out
}

// remote returns the name of the remote that a deployment follows, "" without one.
func (d Deployment) remote() string {
	name, _, found := strings.Cut(d.Refspec, ":")
	if !found {
		return ""
	}
	return name
}

// Name returns the name of a deployment for messages.
func (d Deployment) Name() string {
	if d.Version == "" {
		return fmt.Sprintf("commit %.12s", d.Commit)
	}
	return fmt.Sprintf("%s (commit %.12s)", d.Version, d.Commit)
}
