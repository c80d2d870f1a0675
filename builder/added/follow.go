package added

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// followUnit gets missing images; it is started when there is a new deployment.
const followUnit = "treewright-added-follow.service"

// Boot links the image of the booted deployment, before systemd merges extensions. If the image is missing, damaged or not signed, Boot returns an error
// and does not link it. Boot does not wait for a network.
func (m *Machine) Boot(ctx context.Context) error {
	release, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	all, err := m.deployments(ctx)
	if err != nil {
		return err
	}
	d, err := bootedOf(all)
	if err != nil {
		return err
	}
	if h, err := m.heldBack(); err == nil && h != nil && h.Commit == d.Commit {
		if err := m.settled(); err != nil {
			return err
		}
	}
	problem := m.linkGood(ctx, d)
	if err := errors.Join(m.sweep(all), m.hint(all)); err != nil && problem == nil {
		problem = err
	}
	return problem
}

// linkGood links the image of the booted deployment if it is good. If the deployment lacks its image, linkGood returns the reason, and starts the unit that gets the
// image as soon as the network is up.
func (m *Machine) linkGood(ctx context.Context, d Deployment) error {
	_, err := m.good(ctx, d)
	if err == nil {
		return errors.Join(m.note(d.Commit, nil), m.link(d.Commit))
	}
	wanted, werr := m.Wanted()
	if werr == nil && len(wanted) == 0 && errors.Is(err, errNoImage) {
		return m.relink("")
	}
	err = fmt.Errorf("packages of %s are not merged: %w", d.Name(), err)
	// This also runs when the unit's time is over.
	_, serr := m.output(context.WithoutCancel(ctx), "systemctl", "start", "--no-block", followUnit)
	return errors.Join(err, werr, m.relink(""), m.note(d.Commit, err), serr)
}

// Follow gets the images that the booted deployment and the next one do not have, and merges the image of the booted deployment. A staged
// deployment is held back until it has its image.
func (m *Machine) Follow(ctx context.Context) error {
	release, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	var done []string
	for {
		all, err := m.deployments(ctx)
		if err != nil {
			return err
		}
		var commits []string
		for _, d := range following(all) {
			commits = append(commits, d.Commit)
		}
		// Another deployment may have been staged meanwhile.
		if slices.Equal(commits, done) {
			return errors.Join(m.sweep(all), m.hint(all))
		}
		done = commits
		if err := m.followAll(ctx, following(all)); err != nil {
			return errors.Join(err, m.hint(all))
		}
	}
}

// followAll gets the images of deployments. It tries all of them.
func (m *Machine) followAll(ctx context.Context, all []Deployment) error {
	wanted, err := m.Wanted()
	if err != nil {
		return err
	}
	var faults []error
	for _, d := range all {
		if len(wanted) == 0 {
			faults = append(faults, m.release(ctx, d))
			continue
		}
		err := m.provide(ctx, d, wanted)
		switch {
		case err != nil && d.Staged:
			err = errors.Join(err, m.hold(context.WithoutCancel(ctx), d))
		case err == nil && d.Staged:
			err = errors.Join(m.release(ctx, d), m.settled())
		case err == nil && d.Booted && (m.linked() != d.Commit || !m.merged()):
			err = m.mergeLate(ctx, d)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// mergeLate merges the image of the booted deployment after the boot.
func (m *Machine) mergeLate(ctx context.Context, d Deployment) error {
	before, err := m.units()
	if err != nil {
		return err
	}
	if err := m.mergeInto(ctx, d.Commit); err != nil {
		return errors.Join(err, m.again(ctx), m.note(d.Commit, err))
	}
	m.Say("merged the packages of " + d.Name())
	problems, err := m.settle(ctx, before)
	for _, line := range problems {
		m.Say(line)
	}
	return err
}
