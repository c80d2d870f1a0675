package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What [WriteSuccessor] puts into the next commit. Debian's base-files brings
// both files of /etc.
const (
	generationFile = "/usr/share/treewright-test/generation"
	newIssue       = "issue, as the next commit has it"
	newIssueNet    = "issue.net, as the next commit has it"
	localIssue     = "issue, as changed on this machine"
)

// WriteSuccessor writes the directory dir/file.include with what the next commit
// changes: a file of its own, and two that the system has in /etc, one of
// which the test changes on the machine too.
func WriteSuccessor(dir string) error {
	return writeFiles(dir, map[string]string{
		generationFile:       "next",
		"/usr/etc/issue":     newIssue,
		"/usr/etc/issue.net": newIssueNet,
	})
}

// WriteMended writes the directory dir/file.include with what the commit after the
// broken one has.
func WriteMended(dir string) error {
	return writeFiles(dir, map[string]string{generationFile: "mended"})
}

func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		file := filepath.Join(dir, "file.include", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const (
	writeMarkers = `
echo here > /etc/treewright-marker
echo here > /var/lib/treewright-marker
echo '` + localIssue + `' > /etc/issue
sync
`
	checkMarkers = `
for file in /etc/treewright-marker /var/lib/treewright-marker; do
	[[ $(< "$file") == here ]]
done
`
	checkMerge = `
[[ $(< /etc/issue) == '` + localIssue + `' ]] || { echo "/etc/issue was changed on this machine and is lost: $(< /etc/issue)"; exit 1; }
[[ $(< /etc/issue.net) == '` + newIssueNet + `' ]] || { echo "/etc/issue.net was not changed on this machine, but is not the new commit's: $(< /etc/issue.net)"; exit 1; }
`
	checkNext     = `[[ $(< ` + generationFile + `) == next ]]`
	checkPrevious = `
[[ ! -e ` + generationFile + ` ]] || { echo "` + generationFile + ` is of the next commit"; exit 1; }
[[ $(< /etc/issue) == '` + localIssue + `' ]] || { echo "/etc/issue is not this deployment's: $(< /etc/issue)"; exit 1; }
[[ $(< /etc/issue.net) != '` + newIssueNet + `' ]] || { echo "/etc/issue.net is of the next commit"; exit 1; }
`
	// beginUpgrade stops an upgrade as soon as the new deployment's directory is
	// there: too late to have changed nothing, too early to be done.
	beginUpgrade = `
ostree admin upgrade > upgrade.log 2>&1 &
upgrade=$!
until compgen -G '/ostree/deploy/*/deploy/%[1]s.*' > /dev/null; do
	kill -0 "$upgrade" 2> /dev/null || { cat upgrade.log; echo "the upgrade ended before it could be interrupted"; exit 1; }
	sleep 0.05
done
kill -STOP "$upgrade"
`
)

// upgrade is the scenario that the whole system exists for. It takes three
// boots, and a fourth for the power cut.
func (s *Scenario) upgrade(ctx context.Context) {
	u := s.Upgrade
	s.point(ctx, "upgrade", "write-markers", true, func() error { return s.script(ctx, "the markers", writeMarkers) })
	s.point(ctx, "upgrade", "change-owners-and-modes", true, func() error { return s.script(ctx, "the changes below /var", changeState) })
	s.offer(ctx, u.Before)
	s.point(ctx, "upgrade", "publish", true, func() error { return u.Publish(u.To) })
	s.powerCut(ctx)
	s.point(ctx, "upgrade", "pull-and-deploy", true, func() error {
		// After a power cut the new commit may be running already.
		return s.deploy(ctx, u.To)
	})
	if s.Lead != nil {
		s.point(ctx, "upgrade", "from-remote-url", false, func() error { return s.pulledFrom(u.To) })
	}
	s.point(ctx, "upgrade", "reboot", true, func() error { return s.reboot(ctx, "the boot of the new commit") })
	s.point(ctx, "upgrade", "runs-the-new-commit", true, func() error { return s.script(ctx, "a look round", checkNext) })
	s.point(ctx, "upgrade", "status", false, func() error { return s.expect(ctx, 0, u.To, u.From) })
	s.point(ctx, "upgrade", "markers-live", false, func() error { return s.script(ctx, "a look round", checkMarkers) })
	s.stateKept(ctx, "upgrade")
	s.point(ctx, "upgrade", "etc-merged", false, func() error { return s.script(ctx, "a look round", checkMerge) })
	for _, e := range s.Extensions {
		s.point(ctx, "upgrade", "extension-fits-"+e.Name, false, func() error { return s.script(ctx, "systemd-sysext", mergedScript(e.Name)) })
	}
	s.rotate(ctx)

	s.point(ctx, "rollback", "set-default", true, func() error { return s.script(ctx, "ostree admin set-default", "ostree admin set-default 1") })
	s.point(ctx, "rollback", "reboot", true, func() error { return s.reboot(ctx, "the boot of the previous commit") })
	s.point(ctx, "rollback", "runs-the-previous-commit", true, func() error { return s.script(ctx, "a look round", checkPrevious) })
	s.point(ctx, "rollback", "status", false, func() error { return s.expect(ctx, 0, u.From, u.To) })
	s.point(ctx, "rollback", "markers-live", false, func() error { return s.script(ctx, "a look round", checkMarkers) })
	s.stateKept(ctx, "rollback")
	if u.Tries > 0 {
		s.fallBack(ctx)
	}
}

// offer publishes one state after the other, and has the machine try to upgrade to each.
func (s *Scenario) offer(ctx context.Context, all []Offer) {
	for _, o := range all {
		s.point(ctx, "upgrade", o.Name, true, func() error {
			if err := o.Publish(); err != nil {
				return err
			}
			printed, err := s.output(ctx, "ostree admin upgrade", o.script())
			if err == nil {
				s.Report.Note("%s", strings.TrimSpace(printed))
			}
			return err
		})
	}
}

// rotate offers what only counts for a machine that has another key than before, and what
// does not count any more.
func (s *Scenario) rotate(ctx context.Context) {
	if s.Upgrade.Rotate == nil {
		return
	}
	var all []Offer
	s.point(ctx, "upgrade", "sign-with-new-key", true, func() (err error) {
		all, err = s.Upgrade.Rotate()
		return err
	})
	s.offer(ctx, all)
}

// deploy upgrades to the newest commit, which must be the one given.
func (s *Scenario) deploy(ctx context.Context, commit string) error {
	out, err := s.Session.Exec(ctx, "ostree admin upgrade", "ostree admin upgrade", s.limit(2*time.Minute))
	if err != nil {
		return err
	}
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	for _, d := range parseDeployments(status) {
		if d.commit == commit {
			return nil
		}
	}
	return fmt.Errorf("there is no deployment of %s\n%s\n%s", commit, out, status)
}

// powerCut kills the machine in the middle of an upgrade. It must come back,
// whole, with one of the two commits.
func (s *Scenario) powerCut(ctx context.Context) {
	s.point(ctx, "power-cut", "kill-during-upgrade", true, func() error {
		if _, err := s.Session.Exec(ctx, "the upgrade to begin", "set -euo pipefail\n"+fmt.Sprintf(beginUpgrade, s.Upgrade.To), s.limit(2*time.Minute)); err != nil {
			return err
		}
		s.Session.Kill()
		return nil
	})
	s.point(ctx, "power-cut", "boot", true, func() error {
		if err := s.Session.Start(ctx); err != nil {
			return err
		}
		return s.up(ctx, "the boot after the power cut")
	})
	s.point(ctx, "power-cut", "on-one-of-the-commits", false, func() error {
		status, err := s.status(ctx)
		if err != nil {
			return err
		}
		for _, d := range parseDeployments(status) {
			if d.booted && (d.commit == s.Upgrade.From || d.commit == s.Upgrade.To) {
				return nil
			}
		}
		return fmt.Errorf("neither commit is booted\n%s", status)
	})
	s.point(ctx, "power-cut", "markers-live", false, func() error { return s.script(ctx, "a look round", checkMarkers) })
}

func (s *Scenario) status(ctx context.Context) (string, error) {
	out, err := s.output(ctx, "ostree admin status", "ostree admin status")
	return strings.TrimRight(out, "\n"), err
}

func (s *Scenario) expect(ctx context.Context, booted int, commits ...string) error {
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	return expectDeployments(status, booted, commits...)
}
