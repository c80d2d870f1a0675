package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Limits of a boot that is followed by its console; see [Scenario.limit].
const (
	firstWordLimit = time.Minute
	agentLimit     = 20 * time.Second
	// settle is how long a machine is given to say the rest after the words
	// that end its boot.
	settle = 3 * time.Second
	// maxStarts is how often a machine may start before it is said to be in a
	// loop: some systems restart once by themselves, to label files for
	// SELinux for one.
	maxStarts = 3
)

// TakesUnits is the first version of systemd that takes units from credentials
// (systemd.system-credentials(7)).
const TakesUnits = 256

// RunLogin goes through the points of a system that was not built from a flavour: all that
// is asked of it is that somebody can log in on the serial console. Where its
// systemd takes the agent, it is asked for more.
func (s *Scenario) RunLogin(ctx context.Context) error {
	defer s.Session.Kill()
	s.Session.Machine.NoReboot = true
	var seen console
	s.point(ctx, "console", "kernel", true, func() (err error) {
		if err = s.begin(ctx); err != nil {
			return err
		}
		seen, err = s.watch(ctx, "the kernel to start", s.limit(firstWordLimit), func(c console) bool { return c.started })
		return err
	})
	s.point(ctx, "console", "login", true, func() (err error) {
		seen, err = s.watch(ctx, "a login prompt", s.limit(bootLimit), func(c console) bool { return c.login })
		return err
	})
	if s.stopped == "console/login" && seen.fault == "" && s.Session.Answers() {
		// It is up, though it does not show it.
		s.stopped = ""
	}
	s.inside(ctx, seen)
	s.kept(ctx)
	return ctx.Err()
}

// inside asks the agent, if there is one. That a unit failed is told and no
// more: many want a cloud's services around them, or what only some machines
// have.
func (s *Scenario) inside(ctx context.Context, seen console) {
	var why, state, failed string
	s.point(ctx, "system", "started", false, func() (err error) {
		if why = s.noAgent(ctx, seen); why != "" {
			return notTested(why)
		}
		if state, failed, err = s.startedUp(ctx); err == nil && state != "running" && state != "degraded" {
			err = fmt.Errorf("the system is %q, not \"running\" or \"degraded\"\n%s", state, failed)
		}
		return err
	})
	ask := func(name string, do func() error) {
		s.point(ctx, "system", name, false, func() error {
			if why != "" {
				return notTested(why)
			}
			return do()
		})
	}
	ask("units", func() error {
		switch state {
		case "running":
			return nil
		case "degraded":
		default:
			return notTested("after system/started")
		}
		return notTested(fmt.Sprintf("failed: %s; journals are in %s", strings.Join(unitNames(failed), ", "), s.failedLog()))
	})
	ask("root-grown", func() error { return s.rootGrown(ctx) })
}

// unitNames finds the names of units in what [failedUnits] prints.
func unitNames(failed string) []string {
	var names []string
	for line := range strings.Lines(failed) {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// begin starts the machine.
func (s *Scenario) begin(ctx context.Context) error {
	s.starts++
	s.from = 0
	if info, err := os.Stat(s.serialLog()); err == nil {
		s.from = info.Size()
	}
	return s.Session.Start(ctx)
}

func (s *Scenario) serialLog() string { return filepath.Join(s.Logs, SerialLog) }

// console reads what this start of the machine said.
func (s *Scenario) console() (console, error) {
	text, err := os.ReadFile(s.serialLog())
	if err != nil {
		return console{}, fmt.Errorf("read the console's log: %w", err)
	}
	return readConsole(string(text[min(int(s.from), len(text)):])), nil
}

// watch follows the console until it tells what is waited for, or that it never
// will.
func (s *Scenario) watch(ctx context.Context, what string, limit time.Duration, told func(console) bool) (console, error) {
	start := time.Now()
	poll, tick, deadline := time.NewTicker(time.Second), time.NewTicker(30*time.Second), time.NewTimer(limit)
	defer poll.Stop()
	defer tick.Stop()
	defer deadline.Stop()
	var up time.Time // since when the agent answers
	for {
		c, err := s.console()
		switch {
		case err != nil:
			return c, err
		case c.fault != "":
			return c, s.fault(ctx, c)
		case told(c):
			return c, nil
		case s.Session.Ended():
			if err := s.again(ctx, c); err != nil {
				return c, err
			}
			up = time.Time{}
		case up.IsZero() && s.Session.Answers():
			up = time.Now()
		}
		if time.Since(start) >= limit || !up.IsZero() && time.Since(up) > s.limit(agentLimit) {
			return c, s.unsaid(ctx, what, c, time.Since(start))
		}
		select {
		case <-poll.C:
		case <-deadline.C:
		case <-tick.C:
			last := what
			if c.last != "" {
				last = fmt.Sprintf("%s (the console's last line: %.100s)", what, c.last)
			}
			s.Session.Waiting(last, time.Since(start), limit)
		case <-ctx.Done():
			return c, context.Cause(ctx)
		}
	}
}

// fault lets the machine say the rest of what it has to say.
func (s *Scenario) fault(ctx context.Context, c console) error {
	select {
	case <-time.After(settle):
	case <-ctx.Done():
	}
	return errors.New(c.fault)
}

// again starts a machine that restarted, or switched itself off, once more.
func (s *Scenario) again(ctx context.Context, c console) error {
	err := s.Session.dead()
	if s.Session.exit != nil {
		return err
	}
	if s.starts == maxStarts {
		return fmt.Errorf("the machine restarted or switched itself off %d times before it reached a login", maxStarts)
	}
	s.Report.Note("the machine restarted, or switched itself off (the console's last line: %s)", c.last)
	s.Session.Kill()
	return s.begin(ctx)
}

// unsaid explains why the console does not tell what was waited for.
func (s *Scenario) unsaid(ctx context.Context, what string, c console, waited time.Duration) error {
	var b strings.Builder
	console := boards[s.Session.Machine.Arch].console
	fmt.Fprintf(&b, "waited %s for %s on the serial console, without success", waited.Round(time.Second), what)
	switch {
	case c.last == "":
		b.WriteString(": there is no output at all, not even from the firmware")
	case !c.spoke && c.started:
		b.WriteString(": the kernel was started, and printed nothing; it needs console=" + console + " on its command line")
	case !c.spoke:
		b.WriteString(": there is output of the firmware and the boot loader only; either they start no kernel, or the kernel has no console=" + console + " on its command line")
	case c.automatic != "":
		fmt.Fprintf(&b, ": %s was logged in automatically, but no shell shows its prompt", c.automatic)
	}
	if !s.Session.Answers() {
		return errors.New(b.String())
	}
	state, err := s.Session.Exec(ctx, "the state of the console", strings.ReplaceAll(consoleState, "CONSOLE", console), s.limit(time.Minute))
	if err != nil {
		return err
	}
	return fmt.Errorf("%s\nthe system is up nevertheless, and reports:\n%s", b.String(), state)
}

const consoleState = `
echo "kernel command line: $(< /proc/cmdline)"
systemctl status --no-pager --lines=10 serial-getty@CONSOLE.service
true
`

// noAgent waits for the agent and says why there is none, "" if it answers.
func (s *Scenario) noAgent(ctx context.Context, c console) string {
	if c.systemd > 0 && c.systemd < TakesUnits && !s.Session.Answers() {
		return fmt.Sprintf("not checked inside: systemd %d does not accept the test's agent, %d does", c.systemd, TakesUnits)
	}
	limit := s.limit(agentLimit)
	if s.Session.Answers() || s.Session.WaitReady(ctx, "the test's agent", limit) == nil {
		return ""
	}
	return fmt.Sprintf("not checked inside: the test's agent, which needs systemd %d, udev and bash, did not answer within %s", TakesUnits, limit)
}

// sizes prints how large the root file system, its partition and the disk are,
// in bytes, if it is to grow. ext4 does not count its journal, which may be a
// third of it, in statfs(2); its superblock, at 1024, has the number of blocks
// at 4 and the logarithm of their size in KiB at 24.
const sizes = `
grow=
while read -r _ dir kind options _; do
	if [[ $dir == / ]]; then grow=$options root=$kind; fi
done < /etc/fstab
if [[ ,$grow, != *,x-systemd.growfs,* ]]; then exit; fi
number=$(mountpoint --fs-devno /)
part=/sys/dev/block/$number
if [[ ! -e $part/size ]]; then exit; fi
disk=$part
if [[ -e $part/partition ]]; then disk=$part/..; fi
if [[ $root == ext4 ]]; then
	blocks=$(od -An -t u4 -j 1028 -N 4 "/dev/block/$number")
	size=$((1024 << $(od -An -t u4 -j 1048 -N 4 "/dev/block/$number")))
else
	read -r blocks size < <(stat --file-system --format='%b %S' /)
fi
echo "$((blocks * size)) $(($(< "$part/size") * 512)) $(($(< "$disk/size") * 512))"
`

// rootGrown checks that the root file system fills its partition, where its
// line in fstab says that it should. To make the partition larger is another's
// business, whom not every system has: what is left of the disk is but told.
func (s *Scenario) rootGrown(ctx context.Context) error {
	text, err := s.output(ctx, "the sizes of the root", sizes)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return notTested("the root's line in fstab has no x-systemd.growfs, or it is on no disk")
	}
	size, err := parseSizes(text)
	if err != nil {
		return err
	}
	if size.unused() {
		s.Report.Note("the root's partition has %s of a disk of %s: nothing in the image enlarged it", mebibytes(size.partition), mebibytes(size.disk))
	}
	return size.check()
}

// rootSizes are in bytes.
type rootSizes struct{ system, partition, disk int64 }

func parseSizes(text string) (rootSizes, error) {
	var n [3]int64
	f := strings.Fields(text)
	if len(f) != len(n) {
		return rootSizes{}, fmt.Errorf("the sizes of the root file system cannot be read: %q", text)
	}
	for i := range n {
		size, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil || size <= 0 {
			return rootSizes{}, fmt.Errorf("the sizes of the root file system cannot be read: %q", text)
		}
		n[i] = size
	}
	return rootSizes{n[0], n[1], n[2]}, nil
}

// check reports whether the file system fills its partition: what some do not
// count as their own is less than a fifth.
func (r rootSizes) check() error {
	if r.system < r.partition/5*4 {
		return fmt.Errorf("the root file system has %s of a partition of %s: it did not grow, though fstab has x-systemd.growfs", mebibytes(r.system), mebibytes(r.partition))
	}
	return nil
}

// unused reports whether so much of the disk has no use that it is worth a word.
func (r rootSizes) unused() bool { return r.disk-r.partition > 1<<30 }

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
