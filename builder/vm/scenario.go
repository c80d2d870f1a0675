package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Scenario is what a guest is put through, point by point.
type Scenario struct {
	Session *Session
	Report  *Report
	// Flavour is its name, below which Base, a URL without a slash at the end,
	// serves what was built, as the guest sees it.
	Flavour, Base string
	// Logs is the directory for the journals of units that failed.
	Logs string
	// Follow is what a machine whose image follows nothing is told to follow, nil
	// if the image has a remote.
	Follow *Remote
	// Lead leads the machine from its image's remote to the server, nil if it has none
	// that can be led.
	Lead *Lead
	// Listens are the sockets on which others may reach the machine: "tcp/22".
	// Those of extensions come with them.
	Listens []string
	// System are the tests of the system's features; Extensions those of the
	// extensions.
	System     []Tests
	Extensions []Extension
	// Chosen reports whether these tests were chosen from others: then only what they need
	// is tested beside them.
	Chosen bool
	// Keep keeps the machine after the first test that fails, and skips the others; nil
	// if that is not wanted.
	Keep *Keep
	// Upgrade is nil if only the image itself is tested, and so is Packages, of packages that the machine adds to itself.
	Upgrade  *Upgrade
	Packages *Packages

	stopped string // the point without which no other can be
	starts  int    // how often the machine was started by RunLogin
	from    int64  // where the console's log of this start begins, in bytes
}

// Extension is an extension that is served as NAME.raw, and its tests.
type Extension struct {
	Name  string
	Tests []Tests
	// Listens are the sockets on which others may reach it.
	Listens []string
	// Signed is nil unless the machine merges it because it is signed.
	Signed *Signed
}

// Signed is an extension whose image is signed, of a system that merges no other.
type Signed struct {
	// DataAt and SignatureAt are where the partitions of its file system and of its
	// signature begin, in bytes.
	DataAt, SignatureAt int64
	// Strange is the content of the second one if a key that the system does not know had
	// signed it.
	Strange []byte
}

// Run goes through all points. That a point fails is not an error: it is in the
// report. An error is that the scenario could not be carried on.
func (s *Scenario) Run(ctx context.Context) error {
	defer s.Session.Kill()
	if s.Packages != nil {
		shut, err := s.Packages.open(s.Session.Job.Shared())
		if err != nil {
			return err
		}
		defer shut()
	}
	s.point(ctx, "machine", "boot", true, func() error {
		if err := s.Session.Start(ctx); err != nil {
			return err
		}
		return s.up(ctx, "the machine's first boot")
	})
	if s.Follow != nil {
		s.point(ctx, "machine", "follow", true, func() error { return s.script(ctx, "ostree remote add", s.Follow.first()) })
	}
	if s.Lead != nil && !s.Chosen {
		s.point(ctx, "machine", "remote", false, func() error { return s.follows(ctx) })
	}
	if !s.Chosen {
		s.listening(ctx, "network", "listening")
	}
	for _, t := range s.System {
		s.tests(ctx, t)
	}
	for _, e := range s.Extensions {
		s.extension(ctx, e)
	}
	if !s.Chosen {
		s.point(ctx, "extension", "other-base-refused", false, func() error { return s.script(ctx, "systemd-sysext", otherBase) })
	}
	if s.Upgrade != nil {
		s.upgrade(ctx)
	}
	if s.Packages != nil {
		s.packages(ctx)
	}
	if !s.Chosen {
		s.rootShell(ctx)
	}
	s.kept(ctx)
	return ctx.Err()
}

// point carries out one test. With needed set, none after it is tried if it
// fails.
func (s *Scenario) point(ctx context.Context, group, name string, needed bool, do func() error) {
	if ctx.Err() != nil {
		return
	}
	if s.stopped != "" {
		s.Report.Add(Result{Group: group, Name: name, Outcome: Skipped, Text: "after " + s.stopped})
		return
	}
	start := time.Now()
	err := do()
	if ctx.Err() != nil {
		return
	}
	r := Result{Group: group, Name: name, Outcome: Passed, Duration: time.Since(start)}
	if err != nil {
		r.Outcome, r.Text = Failed, err.Error()
		var guest *GuestError
		if errors.As(err, new(notTested)) {
			r.Outcome = Skipped
		} else if needed || s.Session.Ended() {
			s.stopped = group + "/" + name
			if !errors.As(err, &guest) {
				r.Text += consoleTail(filepath.Join(s.Logs, SerialLog))
			}
		}
		if s.Keep != nil && r.Outcome == Failed {
			s.stopped = group + "/" + name
		}
	}
	s.Report.Add(r)
}

// notTested is why a test finds nothing to test.
type notTested string

func (n notTested) Error() string { return string(n) }

// limit is how long something may take that takes d at the very most on a
// machine of today.
func (s *Scenario) limit(d time.Duration) time.Duration {
	if s.Session.Machine.KVM {
		return d
	}
	// An emulated guest runs at a tenth of the speed or less.
	return 6 * d
}

// script runs a bash script in the guest.
func (s *Scenario) script(ctx context.Context, what, text string) error {
	_, err := s.Session.Exec(ctx, what, "set -euo pipefail\n"+text, s.limit(time.Minute))
	return err
}

func (s *Scenario) output(ctx context.Context, what, text string) (string, error) {
	return s.Session.Exec(ctx, what, "set -euo pipefail\n"+text, s.limit(time.Minute))
}

// bootLimit is the time for a boot, the firmware's part included.
const bootLimit = 2 * time.Minute

// up waits for a boot to end, and in a system of which no part failed.
func (s *Scenario) up(ctx context.Context, what string) error {
	if err := s.Session.WaitReady(ctx, what, s.limit(bootLimit)); err != nil {
		return err
	}
	return s.healthy(ctx)
}

func (s *Scenario) reboot(ctx context.Context, what string) error {
	if err := s.Session.Reboot(ctx, what, s.limit(bootLimit)); err != nil {
		return err
	}
	return s.healthy(ctx)
}

// healthy waits for all units to have started, and the network.
func (s *Scenario) healthy(ctx context.Context) error {
	if err := s.running(ctx); err != nil {
		return err
	}
	if s.Lead != nil {
		if err := s.script(ctx, "the way to the remote", s.Lead.script()); err != nil {
			return err
		}
	}
	return s.script(ctx, "the network", s.online())
}

// running waits for all units to have started.
func (s *Scenario) running(ctx context.Context) error {
	state, failed, err := s.startedUp(ctx)
	if err != nil || state == "running" {
		return err
	}
	return fmt.Errorf("the system is %q, not \"running\"; journals are in %s\n%s", state, s.failedLog(), failed)
}

// startedUp waits for the start-up to end and returns how the system is then,
// in systemctl's words. If it is not "running", the units that failed, with
// their journals, are returned and added to a file.
func (s *Scenario) startedUp(ctx context.Context) (state, failed string, err error) {
	state, err = s.Session.Exec(ctx, "the system to be up", "systemctl is-system-running --wait", s.limit(bootLimit))
	state = strings.TrimSpace(state)
	if err == nil && state == "running" {
		return state, "", nil
	}
	failed, jerr := s.Session.Exec(ctx, "the journal", failedUnits, s.limit(time.Minute))
	if jerr != nil {
		return state, failed, errors.Join(err, jerr)
	}
	return state, failed, appendFile(s.failedLog(), failed)
}

func (s *Scenario) failedLog() string { return filepath.Join(s.Logs, FailedUnitsLog) }

// online waits until the server answers: a system is up before its network is.
func (s *Scenario) online() string {
	host, port, _ := strings.Cut(strings.TrimPrefix(s.Base, "http://"), ":")
	return fmt.Sprintf(`
for _ in {1..60}; do
	if (exec 4<> /dev/tcp/%s/%s) 2> /dev/null; then exit 0; fi
	sleep 1
done
echo "the server at %s cannot be reached"
ip address || true
exit 1
`, host, port, s.Base)
}

// The files that a test leaves in the directory for logs.
const (
	SerialLog      = "serial.log"
	FailedUnitsLog = "failed-units.log"
)

const failedUnits = `
systemctl list-units --failed --no-legend --plain
systemctl list-jobs --no-legend
systemctl list-units --failed --no-legend --plain | while read -r unit _; do
	echo "== $unit"
	journalctl --boot --unit="$unit" --lines=50 --no-pager
done
`

func appendFile(file, text string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// tests runs a feature's tests.
func (s *Scenario) tests(ctx context.Context, t Tests) {
	for _, name := range t.Names {
		s.point(ctx, t.Feature, name, false, func() error {
			_, err := s.Session.Exec(ctx, t.Feature+"/"+name, t.script(name), s.limit(2*time.Minute))
			return err
		})
	}
}

// script returns the script that runs a test in the guest.
func (t Tests) script(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cd %s || exit\n", sandbox.Quote(GuestDir+"/"+t.Feature+"/test"))
	for _, k := range sortedKeys(t.Env) {
		fmt.Fprintf(&b, "export %s=%s\n", k, sandbox.Quote(t.Env[k]))
	}
	fmt.Fprintf(&b, "exec %s\n", sandbox.Quote("./"+name))
	return b.String()
}

// extension gets an extension as a user would, and runs its tests.
func (s *Scenario) extension(ctx context.Context, e Extension) {
	file := sandbox.Quote(e.Name + ".raw")
	have := true
	s.point(ctx, "extension", "download-"+e.Name, false, func() error {
		err := s.script(ctx, "the download", fmt.Sprintf(`
mkdir -p /var/lib/extensions
cd /var/lib/extensions
for name in SHA256SUMS %[2]s; do
	curl --fail --silent --show-error --remote-name %[1]s/"$name"
done
sha256sum --check --quiet --ignore-missing SHA256SUMS
rm SHA256SUMS`, sandbox.Quote(s.Base+"/"+s.Flavour), file))
		have = err == nil
		return err
	})
	if !have {
		why := "after extension/download-" + e.Name
		for _, name := range []string{"merge-", "listening-"} {
			if s.Chosen && name == "listening-" {
				continue
			}
			s.Report.Add(Result{Group: "extension", Name: name + e.Name, Outcome: Skipped, Text: why})
		}
		for _, t := range e.Tests {
			for _, name := range t.Names {
				s.Report.Add(Result{Group: t.Feature, Name: name, Outcome: Skipped, Text: why})
			}
		}
		return
	}
	s.point(ctx, "extension", "merge-"+e.Name, false, func() error {
		return s.script(ctx, "systemd-sysext", "systemd-sysext refresh\n"+mergedScript(e.Name))
	})
	s.Listens = append(s.Listens[:len(s.Listens):len(s.Listens)], e.Listens...)
	if !s.Chosen {
		s.listening(ctx, "extension", "listening-"+e.Name)
	}
	for _, t := range e.Tests {
		s.tests(ctx, t)
	}
	if e.Signed != nil && !s.Chosen {
		s.refused(ctx, e)
	}
}

// mergedScript fails unless an extension is merged.
func mergedScript(name string) string {
	return fmt.Sprintf("systemd-sysext status --json=short | grep --fixed-strings --quiet '\"%s\"' || { systemd-sysext status; systemd-sysext list; exit 1; }\n", name)
}

// otherBase makes an extension for another VERSION_ID, which must not be
// merged, and shows that it is for that alone: with the system's own it is.
const otherBase = `
source /etc/os-release
dir=/var/lib/extensions/other-base
trap 'rm -rf "$dir"; systemd-sysext refresh' EXIT
mkdir -p "$dir"/usr/{lib/extension-release.d,share}
touch "$dir"/usr/share/other-base
release=$dir/usr/lib/extension-release.d/extension-release.other-base
printf 'ID=%s\nVERSION_ID=000000000000\n' "$ID" > "$release"
systemd-sysext refresh || true
[[ ! -e /usr/share/other-base ]] || { echo "an extension for VERSION_ID=000000000000 was merged into one with ${VERSION_ID:-none}"; exit 1; }
printf 'ID=%s\nVERSION_ID=%s\n' "$ID" "$VERSION_ID" > "$release"
systemd-sysext refresh
[[ -e /usr/share/other-base ]] || { echo "an extension for this very VERSION_ID was not merged"; systemd-sysext list; exit 1; }
`

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
