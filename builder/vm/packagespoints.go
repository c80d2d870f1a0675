package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/sandbox"
)

// packages is the scenario of packages that a machine adds to itself. It needs three boots more.
func (s *Scenario) packages(ctx context.Context) {
	s.inPackages(ctx, "settings", true, func() error { return s.script(ctx, "the settings", s.Packages.settings()) })
	s.addFirst(ctx)
	s.addLocally(ctx)
	s.addDaemon(ctx)
	s.refuses(ctx)
	s.holdsBack(ctx)
	s.cutFetch(ctx)
	s.followUpgrade(ctx)
	s.rollBackPackages(ctx)
}

// inPackages is a point of the group.
func (s *Scenario) inPackages(ctx context.Context, name string, needed bool, do func() error) {
	s.point(ctx, "packages", name, needed, do)
}

// tells is a point whose script prints lines for people.
func (s *Scenario) tells(ctx context.Context, name string, needed bool, script string) {
	s.inPackages(ctx, name, needed, func() error {
		printed, err := s.inMachine(ctx, "packages/"+name, script)
		if err == nil {
			s.note(printed)
		}
		return err
	})
}

// note shows lines that a point printed.
func (s *Scenario) note(printed string) {
	for line := range strings.Lines(strings.TrimSpace(printed)) {
		s.Report.Note("%s", strings.TrimSpace(line))
	}
}

// inMachine runs a script with the functions of [packageFunctions]. It may take as long as a server takes for an image.
func (s *Scenario) inMachine(ctx context.Context, what, script string) (string, error) {
	return s.Session.Exec(ctx, what, "set -euo pipefail\n"+packageFunctions+script, s.limit(5*time.Minute))
}

// addFirst adds a package of which the server does not have an image.
func (s *Scenario) addFirst(ctx context.Context) {
	s.tells(ctx, "boots-without", false, bootTime)
	s.tells(ctx, "add", true, `timed treewright add `+aCommand+`
works `+aCommand)
	s.tells(ctx, "status", false, `has_status `+aCommand)
	s.tells(ctx, "apt-answers", false, aptAnswers)
	s.inPackages(ctx, "remove-last-without-server", true, func() error {
		if err := s.Packages.server.down(); err != nil {
			return err
		}
		printed, err := s.inMachine(ctx, "treewright remove", `timed treewright remove `+aCommand+`
gone `+aCommand+`
has_status`)
		s.note(printed)
		return err
	})
}

// addLocally adds the same package without the server: it is the same image.
func (s *Scenario) addLocally(ctx context.Context) {
	have := false
	s.inPackages(ctx, "add-locally", false, func() error {
		if s.Packages.SignedOnly {
			return notTested("the machine merges signed images only, and cannot sign any")
		}
		printed, err := s.inMachine(ctx, "treewright add --local", `timed treewright add --local `+aCommand+`
works `+aCommand)
		s.note(printed)
		have = err == nil
		return err
	})
	if have {
		s.inPackages(ctx, "same-as-from-server", false, func() error {
			text, err := s.inMachine(ctx, "the list of the image", `cat /var/lib/treewright/extensions/`+s.Packages.From+`/added.json`)
			if err != nil {
				return err
			}
			return s.Packages.sameAsServer(text)
		})
	}
	s.inPackages(ctx, "add-what-server-has", true, func() error {
		if err := s.Packages.server.up(); err != nil {
			return err
		}
		printed, err := s.inMachine(ctx, "treewright add", `[[ ! -e /usr/bin/`+aCommand+` ]] || treewright remove `+aCommand+`
timed treewright add `+aCommand+`
works `+aCommand)
		s.note(printed)
		return err
	})
	s.tells(ctx, "update", false, `[[ $(treewright update) == "there are no newer versions" ]]`)
	s.tells(ctx, "add-from-bundle", false, `treewright bundle `+s.Packages.From+` `+aCommand+` --to /var/tmp/stick
treewright remove `+aCommand+`
treewright add `+aCommand+` --bundle /var/tmp/stick
works `+aCommand+`
treewright status | grep --quiet "from bundle /var/tmp/stick"
rm -r /var/tmp/stick`)
}

// sameAsServer compares an image that the machine made with the image that the server made.
func (p *Packages) sameAsServer(text string) error {
	var local extend.Document
	if err := json.Unmarshal([]byte(text), &local); err != nil {
		return fmt.Errorf("read the list of the image that the machine made: %w", err)
	}
	served, err := p.document(p.From, aCommand)
	if err != nil {
		return err
	}
	if local.SHA256 != served.SHA256 || !slices.Equal(local.Added, served.Added) {
		return fmt.Errorf("the machine made %s of %v\nthe server made  %s of %v", local.SHA256, local.Added, served.SHA256, served.Added)
	}
	return nil
}

// addDaemon adds two packages by one command.
func (s *Scenario) addDaemon(ctx context.Context) {
	s.tells(ctx, "add-daemon-and-editor", true, `timed treewright add `+aDaemon+` `+anEditor+`
works `+aCommand+` `+anEditor)
	s.tells(ctx, "daemon-runs", false, daemonRuns)
	s.tells(ctx, "daemon-account", false, daemonAccount)
	s.tells(ctx, "daemon-keeps-state", false, `redis-cli set treewright here | grep --quiet OK
redis-cli save | grep --quiet OK
[[ $(stat --format=%U /var/lib/redis/dump.rdb) == redis ]] || { ls -la /var/lib/redis; exit 1; }
sync`)
	s.tells(ctx, "alternatives", false, alternatives)
}

// refuses runs commands that the machine refuses. None of them changes the machine.
func (s *Scenario) refuses(ctx context.Context) {
	arch := s.Session.Machine.Arch
	s.tells(ctx, "refuses-kernel", false, `refused kernel treewright add `+aKernel+arch)
	s.tells(ctx, "refuses-conflict", false, `refused systemd-sysv treewright add `+anInit)
	s.inPackages(ctx, "refuses-flipped-byte", false, func() error {
		ask := fmt.Sprintf(`curl --silent --show-error --fail --max-time 900 --header 'Content-Type: application/json' --data %s %s/%s | tail --lines=1 | grep --quiet '"done"'`,
			sandbox.Quote(fmt.Sprintf(`{"commit": %q, "packages": [%q, %q, %q, %q]}`, s.Packages.From, aCommand, aDaemon, anEditor, oneMore)), s.Base+"/"+s.Flavour, extend.Dir)
		if _, err := s.inMachine(ctx, "the server to make an image", ask); err != nil {
			return err
		}
		d, err := s.Packages.document(s.Packages.From, aCommand, aDaemon, anEditor, oneMore)
		if err != nil {
			return err
		}
		if err := s.Packages.flip(d); err != nil {
			return err
		}
		printed, err := s.inMachine(ctx, "treewright add", `refused SHA-256 treewright add `+oneMore)
		s.note(printed)
		if ferr := s.Packages.flip(d); err == nil {
			err = ferr
		}
		return err
	})
	s.tells(ctx, "refuses-full-var", false, fullVar)
	s.tells(ctx, "add-with-space", true, `timed treewright add `+oneMore+`
works `+aCommand+` `+anEditor+` `+oneMore)
}

// holdsBack stages an upgrade for which the server makes no image.
func (s *Scenario) holdsBack(ctx context.Context) {
	s.inPackages(ctx, "publish-upgrade", true, s.Packages.Publish)
	s.inPackages(ctx, "holds-upgrade-back", true, func() error {
		s.Packages.server.filesOnly(true)
		defer s.Packages.server.filesOnly(false)
		printed, err := s.inMachine(ctx, "ostree admin upgrade --stage", fmt.Sprintf(heldBack, s.Packages.To))
		s.note(printed)
		return err
	})
}

// cutFetch cuts the power while the image for the staged commit is fetched. The image of the running one is damaged by that time.
func (s *Scenario) cutFetch(ctx context.Context) {
	s.inPackages(ctx, "kill-during-fetch", true, func() error {
		stalled := s.Packages.server.stall(s.Packages.To)
		if _, err := s.inMachine(ctx, "the service", `systemctl start --no-block treewright-added-follow.service`); err != nil {
			return err
		}
		select {
		case <-stalled:
		case <-time.After(s.limit(5 * time.Minute)):
			return fmt.Errorf("the machine did not fetch the image of the staged commit")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if _, err := s.inMachine(ctx, "half an image", fmt.Sprintf(damage, s.Packages.From)); err != nil {
			return err
		}
		s.Session.Kill()
		return nil
	})
	s.inPackages(ctx, "boot-with-damaged-image", true, func() error {
		if err := s.Session.Start(ctx); err != nil {
			return err
		}
		if err := s.up(ctx, "the boot after the power cut"); err != nil {
			return err
		}
		printed, err := s.inMachine(ctx, "the journal", damagedJournal)
		s.note(printed)
		return err
	})
	s.tells(ctx, "fetches-again", true, fetchedAgain+`
works `+aCommand+` `+anEditor+` `+oneMore+`
daemon_has_key`)
}

// followUpgrade upgrades, and boots the new commit without a server.
func (s *Scenario) followUpgrade(ctx context.Context) {
	s.tells(ctx, "image-before-reboot", true, fmt.Sprintf(stageUpgrade, s.Packages.To))
	s.inPackages(ctx, "boot-upgrade-without-server", true, func() error {
		return s.rebootAlone(ctx, "the boot of the new commit", checkNext)
	})
	s.tells(ctx, "all-there-at-once", false, bootTime+`
works `+aCommand+` `+anEditor+` `+oneMore+`
daemon_has_key
has_status `+strings.Join(sortedNames(aCommand, aDaemon, anEditor, oneMore), " "))
	s.tells(ctx, "upgraded-daemon-account", false, daemonAccount)
	s.inPackages(ctx, "remove", false, func() error {
		if err := s.Packages.server.up(); err != nil {
			return err
		}
		printed, err := s.inMachine(ctx, "treewright remove", `timed treewright remove `+aDaemon+`
gone redis-server redis-cli
no_process redis-server
works `+aCommand+` `+anEditor+` `+oneMore+`
has_status `+strings.Join(sortedNames(aCommand, anEditor, oneMore), " "))
		s.note(printed)
		return err
	})
}

// rollBackPackages goes back to the commit whose image still has all packages, and removes them.
func (s *Scenario) rollBackPackages(ctx context.Context) {
	s.inPackages(ctx, "roll-back-without-server", true, func() error {
		if err := s.script(ctx, "ostree admin set-default", "ostree admin set-default 1"); err != nil {
			return err
		}
		return s.rebootAlone(ctx, "the boot of the previous commit", `[[ ! -e `+generationFile+` ]]`)
	})
	s.tells(ctx, "old-set", false, `works `+aCommand+` `+anEditor+` `+oneMore+`
daemon_has_key`)
	s.tells(ctx, "remove-all", false, fmt.Sprintf(`timed treewright remove %[1]s %[2]s %[3]s
gone %[1]s %[2]s %[3]s redis-server
no_process redis-server
has_status
treewright status`, aCommand, anEditor, oneMore))
	s.inPackages(ctx, "healthy", false, func() error { return s.running(ctx) })
}

// rebootAlone boots while no server answers.
func (s *Scenario) rebootAlone(ctx context.Context, what, check string) error {
	if err := s.Packages.server.down(); err != nil {
		return err
	}
	if err := s.Session.Reboot(ctx, what, s.limit(bootLimit)); err != nil {
		return err
	}
	if err := s.running(ctx); err != nil {
		return err
	}
	return s.script(ctx, "a look round", check+fmt.Sprintf(`
if curl --silent --output /dev/null --max-time 10 %s/index.json; then
	echo "the server answers"
	exit 1
fi`, s.Base))
}

// sortedNames are names in the order in which the list of packages has them.
func sortedNames(names ...string) []string {
	slices.Sort(names)
	return names
}
