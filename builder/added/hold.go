package added

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// heldFile has the staged commit whose finalization this program has locked. A lock that is somebody else's stays as it is.
const heldFile = runDir + "/held"

// hold keeps a staged deployment from becoming the one of the next boot. Staging anew removes a lock of libostree, so this is done for each.
func (m *Machine) hold(ctx context.Context, d Deployment) error {
	if d.Locked {
		return nil
	}
	if err := m.write(m.at(heldFile), []byte(d.Commit+"\n")); err != nil {
		return err
	}
	if _, err := m.output(ctx, "ostree", "admin", "lock-finalization"); err != nil {
		return fmt.Errorf("hold the upgrade back: %w", err)
	}
	return nil
}

// release takes the lock away, if it is one of [Machine.hold].
func (m *Machine) release(ctx context.Context, d Deployment) error {
	held, err := os.ReadFile(m.at(heldFile))
	if err != nil {
		return mayBeMissing(err)
	}
	if d.Staged && d.Locked && strings.TrimSpace(string(held)) == d.Commit {
		if _, err := m.output(ctx, "ostree", "admin", "lock-finalization", "--unlock"); err != nil {
			return fmt.Errorf("let the upgrade continue: %w", err)
		}
		m.Say("the upgrade to " + d.Name() + " continues: its packages are here")
	}
	return remove(m.at(heldFile))
}

// Finalize is for the shutdown, before libostree completes a staged deployment. If its image is missing, it is tried to get it until ctx ends; then
// the upgrade is held back, and the reason is kept for after the reboot.
func (m *Machine) Finalize(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	release, err := m.lock(whole)
	if err != nil {
		return err
	}
	defer release()
	wanted, err := m.Wanted()
	if err != nil || len(wanted) == 0 {
		return err
	}
	all, err := m.deployments(whole)
	if err != nil {
		return err
	}
	for _, d := range all {
		if !d.Staged {
			continue
		}
		why := m.provide(ctx, d, wanted)
		if why == nil {
			if err := m.release(whole, d); err != nil {
				return err
			}
			return m.settled()
		}
		h := HeldBack{d.Commit, d.Version, why.Error(), time.Now().UTC().Truncate(time.Second)}
		if err := m.hold(whole, d); err != nil {
			return err
		}
		if err := m.setHeldBack(h); err != nil {
			return err
		}
		return fmt.Errorf("the upgrade to %s is held back, and the machine starts the system that it runs now: its packages are missing: %w", d.Name(), why)
	}
	return nil
}
