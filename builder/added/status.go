package added

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Status describes the packages that were asked for, and the state of the deployments.
type Status struct {
	Version int `json:"version"`
	// Wanted are the packages that were asked for.
	Wanted []string `json:"wanted"`
	Merged bool     `json:"merged"`
	// Deployments are in the order in which the machine would boot them.
	Deployments []DeploymentStatus `json:"deployments"`
	// HeldBack is the upgrade that did not happen at the last shutdown.
	HeldBack *HeldBack `json:"held_back,omitempty"`
}

// DeploymentStatus describes a deployment and its image.
type DeploymentStatus struct {
	Commit   string `json:"commit"`
	Version  string `json:"version,omitempty"`
	Booted   bool   `json:"booted"`
	Pending  bool   `json:"pending"`
	Staged   bool   `json:"staged"`
	Rollback bool   `json:"rollback"`
	// Held is set if the deployment is not completed at the next shutdown.
	Held  bool         `json:"held"`
	Image *ImageStatus `json:"image,omitempty"`
	// Problem is the reason why the image is missing or not merged.
	Problem string `json:"problem,omitempty"`
}

// ImageStatus describes an image.
type ImageStatus struct {
	// Packages were asked for when the image was made; Added are all packages in it.
	Packages []string         `json:"packages"`
	Added    []distro.Package `json:"added"`
	From     Origin           `json:"from"`
	Size     int64            `json:"size"`
	SHA256   string           `json:"sha256"`
}

// Status returns the status of the machine. It does not read images.
func (m *Machine) Status(ctx context.Context) (*Status, error) {
	all, err := m.deployments(ctx)
	if err != nil {
		return nil, err
	}
	return m.statusWith(all)
}

// statusWith returns the status of a machine with these deployments.
func (m *Machine) statusWith(all []Deployment) (s *Status, err error) {
	s = &Status{Version: 1, Merged: m.merged(), Deployments: []DeploymentStatus{}}
	if s.Wanted, err = m.Wanted(); err != nil {
		return nil, err
	}
	if s.Wanted == nil {
		s.Wanted = []string{}
	}
	if s.HeldBack, err = m.heldBack(); err != nil {
		return nil, err
	}
	for _, d := range all {
		s.Deployments = append(s.Deployments, m.statusOf(d, s.Wanted))
	}
	return s, nil
}

// statusOf describes a deployment.
func (m *Machine) statusOf(d Deployment, wanted []string) DeploymentStatus {
	s := DeploymentStatus{Commit: d.Commit, Version: d.Version, Booted: d.Booted, Pending: d.Pending, Staged: d.Staged, Rollback: d.Rollback, Held: d.Locked}
	s.Problem = m.problem(d.Commit)
	i, err := m.image(d.Commit)
	switch {
	case err == nil:
		s.Image = &ImageStatus{i.document.Sorted().Packages, i.document.Added, i.origin, i.document.Size, i.document.SHA256}
	case !errors.Is(err, errNoImage):
		s.Problem = err.Error()
	case s.Problem == "" && len(wanted) > 0 && (d.Booted || d.Pending || d.Staged):
		s.Problem = err.Error()
	}
	if s.Problem == "" && d.Booted && s.Image != nil && !m.merged() {
		s.Problem = "the image is not merged: see systemd-sysext status, and journalctl --unit systemd-sysext"
	}
	return s
}

// Lacks are packages that are asked for, and that the image of the deployment does not have.
func (s DeploymentStatus) Lacks(wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool {
		return s.Image != nil && slices.Contains(s.Image.Packages, name)
	})
}

// hintFile has a line for users who log in, if packages are missing. A prompt can read it without starting a program.
const hintFile = runDir + "/added-hint"

// Hint returns that line, "" without one.
func (m *Machine) Hint() (string, error) {
	if err := m.booted(); err != nil {
		return "", nil // nothing can be missing
	}
	text, err := os.ReadFile(m.at(hintFile))
	return strings.TrimSpace(string(text)), mayBeMissing(err)
}

// hint writes that line, or removes it.
func (m *Machine) hint(all []Deployment) error {
	s, err := m.statusWith(all)
	if err != nil {
		return err
	}
	line := ""
	for _, d := range s.Deployments {
		switch {
		case d.Problem == "" || d.Image != nil && m.problem(d.Commit) == "": // at boot, nothing is merged yet
		case d.Booted:
			line = fmt.Sprintf("packages are missing: %s; see treewright status", packagesOf(s.Wanted))
		case d.Staged && line == "":
			line = fmt.Sprintf("the upgrade to %s waits for its packages; see treewright status", d.Version)
		}
	}
	if s.HeldBack != nil && line == "" {
		line = "an upgrade was held back; see treewright status"
	}
	if line == "" {
		return remove(m.at(hintFile))
	}
	return m.write(m.at(hintFile), []byte(line+"\n"))
}

// packageNamed is a condition for packages.
func packageNamed(name string) func(distro.Package) bool {
	return func(p distro.Package) bool { return p.Name == name }
}
