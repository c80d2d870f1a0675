package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// WriteBroken writes the directory dir/file.include with what makes boots fail: a
// unit without which boot-complete.target cannot be reached.
func WriteBroken(dir string) error {
	const units = "/usr/lib/systemd/system"
	err := writeFiles(dir, map[string]string{units + "/treewright-broken.service": `[Unit]
Description=Fail, to see the machine fall back
Before=boot-complete.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo tried >> ` + brokenMarker + `; sync; exit 1'`})
	if err != nil {
		return err
	}
	link := filepath.Join(dir, "file.include", units, "boot-complete.target.requires/treewright-broken.service")
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	if err := os.Symlink("../treewright-broken.service", link); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

const (
	brokenMarker = "/var/lib/treewright-broken"
	// setTries writes the boot loader's environment block as it is after a
	// number of failed boots, so that few are needed.
	setTries = `
{ echo '# GRUB Environment Block'; echo 'boot_tries=%s'; printf '#%%.0s' {1..1024}; } | head --bytes=1024 > block
unshare --mount bash -c 'mount -o remount,bind,rw /boot && exec dd if=block of=/boot/grubenv conv=notrunc,fsync status=none'
`
	checkFallBack = `
[[ $(< ` + brokenMarker + `) == tried ]] || { echo "the broken commit was not booted exactly once: $(< ` + brokenMarker + `)"; exit 1; }
systemctl is-active --quiet boot-health.service
! grep '^boot_tries=' /boot/grubenv || { echo "failed boots are still counted"; exit 1; }
`
)

// checkRefused: the commit that failed is not taken again, by whatever upgrades.
const checkRefused = `
for options in "" --stage; do
	if ostree admin upgrade $options > upgrade.log 2>&1; then
		cat upgrade.log
		echo "the commit that failed was taken again"
		exit 1
	fi
	for text in 'commit %.12[1]s failed to boot here on ' 'units that failed: treewright-broken.service' 'boot-health upgrade' 'boot-health retry'; do
		grep -qF -- "$text" upgrade.log || { echo "the refusal does not say \"$text\":"; cat upgrade.log; exit 1; }
	done
done
boot-health status | grep -qF 'commit %.12[1]s failed'
`

// fallBack upgrades to a commit whose boots fail. After the last try that is
// allowed the machine must come back by itself with the commit before, keep it,
// and take no other than a newer one.
func (s *Scenario) fallBack(ctx context.Context) {
	u := s.Upgrade
	s.point(ctx, "boot-health", "upgrade-to-broken", true, func() error {
		if err := u.Publish(u.Broken); err != nil {
			return err
		}
		if err := s.deploy(ctx, u.Broken); err != nil {
			return err
		}
		return s.script(ctx, "one try to be left", fmt.Sprintf(setTries, strings.Repeat("x", int(u.Tries-1))))
	})
	s.point(ctx, "boot-health", "falls-back", true, func() error {
		if err := s.Session.Reboot(ctx, "the boot of the broken commit", s.limit(bootLimit)); err != nil {
			return err
		}
		if err := s.waitFor(ctx, u.From, s.limit(2*bootLimit)); err != nil {
			return err
		}
		return s.healthy(ctx)
	})
	s.point(ctx, "boot-health", "noted", false, func() error { return s.script(ctx, "a look round", checkFallBack) })
	s.point(ctx, "boot-health", "stays", false, func() error { return s.expect(ctx, 0, u.From, u.Broken) })
	s.point(ctx, "boot-health", "refused", false, func() error {
		return s.script(ctx, "upgrades to be refused", fmt.Sprintf(checkRefused, u.Broken))
	})
	s.point(ctx, "boot-health", "newer-is-taken", false, func() error {
		if err := u.Publish(u.Mended); err != nil {
			return err
		}
		if err := s.script(ctx, "a look at the remote", "systemctl start boot-health-check.service"); err != nil {
			return err
		}
		return s.deploy(ctx, u.Mended)
	})
}

// waitFor waits until a commit runs, through any number of restarts.
func (s *Scenario) waitFor(ctx context.Context, commit string, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		status, err := s.status(ctx)
		if errors.Is(err, errRestarted) {
			continue
		}
		if err != nil {
			return err
		}
		for _, d := range parseDeployments(status) {
			if d.booted && d.commit == commit {
				return nil
			}
		}
		if err := s.Session.WaitReady(ctx, "the machine to restart by itself", time.Until(end)); err != nil {
			return fmt.Errorf("%w\n%s", err, status)
		}
	}
	return fmt.Errorf("commit %.12s does not run after %s", commit, limit)
}
