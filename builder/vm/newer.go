package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Newer is a commit that a machine which runs is to take.
type Newer struct {
	// URL is that of the repository, as the machine sees it, and Ref the ref that it follows there.
	URL, Ref string
	Commit   string
	// Began is called before the machine can restart, and Alive reports whether there is
	// still a machine.
	Began func() error
	Alive func() bool
	// Limit is how long a restart may take.
	Limit time.Duration
	// Say prints a line for the user.
	Say func(line string)
}

// guestState describes what runs in a machine.
type guestState struct {
	// start is another one after each restart, soft ones too.
	start           string
	commit, refspec string
}

const (
	// mark begins the lines of scripts that are for this program.
	mark = "@treewright "

	// stateScript fails while systemd ends all programs: it does not answer then. Until that unit is
	// done, ostree takes the deployment before a soft reboot for the one that runs.
	stateScript = `systemctl start ostree-boot-complete.service 2> /dev/null || :
start=$(systemctl show --property=SoftRebootsCount --value)
echo "` + mark + `$(cat /proc/sys/kernel/random/boot_id) $start"
ostree admin status`

	// takeScript takes the URL, the remote, the ref and the commit. The remote's own keys
	// count, also for another URL than its own. A unit that stays active through a soft reboot
	// is not started after it, so the one that ostree needs then is stopped.
	takeScript = `ostree pull --url=%[1]s %[2]s %[3]s
pulled=$(ostree rev-parse %[2]s:%[3]s)
echo "` + mark + `pulled $pulled"
[ "$pulled" = %[4]s ] || exit 0
ostree admin upgrade --deploy-only
next=$(ostree admin status | grep -o '[0-9a-f]\{64\}' | head -n 1)
[ "$next" = %[4]s ] || { echo "the next boot would still be of $next"; exit 1; }
echo "` + mark + `deployed"
restart=soft-reboot why=
if [ ! -e /usr/lib/systemd/system/soft-reboot.target ]; then
	why="the machine's systemd cannot do a soft reboot"
elif ! ostree admin --help 2>&1 | grep -q prepare-soft-reboot; then
	why="the machine's ostree cannot do a soft reboot"
elif ! why=$(ostree admin prepare-soft-reboot 0 2>&1); then
	why=${why##*error: }
else
	why=
fi
if [ -n "$why" ]; then
	restart=reboot
else
	systemctl stop ostree-boot-complete.service
fi
echo "` + mark + `$restart $why"
systemctl --no-block "$restart"`
)

// parseState reads what [stateScript] prints.
func parseState(text string) (guestState, error) {
	var s guestState
	booted := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if rest, ok := strings.CutPrefix(line, mark); ok {
			s.start = strings.TrimSpace(rest)
			continue
		}
		if all := parseDeployments(line); len(all) > 0 {
			if booted = all[0].booted; booted {
				s.commit = all[0].commit
			}
			continue
		}
		if refspec, ok := strings.CutPrefix(strings.TrimSpace(line), "origin refspec: "); ok && booted {
			s.refspec = refspec
		}
	}
	if s.start == "" || s.commit == "" {
		return s, fmt.Errorf("the machine runs no commit that ostree knows of\n%s", strings.TrimSpace(text))
	}
	return s, nil
}

// remote returns the machine's name of the remote that it follows a ref of.
func (s guestState) remote(ref string) (string, error) {
	remote, of, found := strings.Cut(s.refspec, ":")
	switch {
	case s.refspec == "":
		return "", errors.New("the machine follows no ref; `ostree admin switch REMOTE:" + ref + "` in it makes it follow the flavour's")
	case !found:
		return "", fmt.Errorf("the machine follows %s of no remote; `ostree admin switch REMOTE:%s` in it makes it follow one", s.refspec, ref)
	case of != ref:
		return "", fmt.Errorf("the machine follows %s, and the flavour's ref is %s; `ostree admin switch %s:%s` in it makes it follow that", s.refspec, ref, remote, ref)
	}
	return remote, nil
}

// state asks the machine which commit it runs.
func (g Guest) state(ctx context.Context) (guestState, error) {
	var printed strings.Builder
	err := g.Script(ctx, stateScript, func(line string) { printed.WriteString(line + "\n") })
	if err != nil {
		return guestState{}, err
	}
	return parseState(printed.String())
}

// Take has the machine pull and deploy a commit and restart into it, as far as it does not
// run it already, and prints each part. A restart is a soft one where the machine can do it.
func (g Guest) Take(ctx context.Context, n Newer) error {
	before, err := g.state(ctx)
	if err != nil {
		return n.ended(ctx, err)
	}
	if before.commit == n.Commit {
		n.Say(fmt.Sprintf("it runs the newest commit, %.12s, already: nothing is restarted", n.Commit))
		return nil
	}
	remote, err := before.remote(n.Ref)
	if err != nil {
		return err
	}
	n.Say(fmt.Sprintf("it runs %.12s, and pulls %.12s", before.commit, n.Commit))
	if err := n.Began(); err != nil {
		return err
	}
	p := progress{newer: n, last: time.Now()}
	err = g.Script(ctx, fmt.Sprintf(takeScript, sandbox.Quote(n.URL), sandbox.Quote(remote), sandbox.Quote(n.Ref), n.Commit), p.line)
	switch {
	case p.restarts && (err == nil || errors.Is(err, ErrLost)):
	case err != nil:
		return n.ended(ctx, err)
	case p.pulled != n.Commit:
		return fmt.Errorf("the newest commit at %s is %.12s, not %.12s: another build has published meanwhile; try again", n.URL, p.pulled, n.Commit)
	}
	return g.back(ctx, n, before.start, p.last)
}

// farewell is how long the process of a machine may take to end after the machine's connections.
const farewell = 5 * time.Second

// ended explains an error by the end of the machine, or by the output of it.
func (n Newer) ended(ctx context.Context, err error) error {
	if errors.Is(err, ErrLost) {
		ctx, stop := context.WithTimeout(ctx, farewell)
		defer stop()
		for n.Alive() && ctx.Err() == nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
	if !n.Alive() {
		return ErrEnded
	}
	if errors.Is(err, ErrLost) {
		return fmt.Errorf("%s\nThe machine runs still; give the command again", strings.TrimSpace(marks(err.Error())))
	}
	var failed *GuestError
	if errors.As(err, &failed) {
		hint := ""
		if strings.Contains(failed.Output, "GPG") {
			hint = "\nThe machine has keys, and takes only commits that one of them has signed: the build has to be signed"
		}
		return fmt.Errorf("the machine does not take the commit, and still runs the one before:\n%s%s", marks(failed.Error()), hint)
	}
	return err
}

// marks leaves out the lines that are for this program.
func marks(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, mark) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// progress follows what [takeScript] prints.
type progress struct {
	newer    Newer
	last     time.Time // of the last part's end
	pulled   string
	restarts bool
}

func (p *progress) line(line string) {
	rest, ok := strings.CutPrefix(line, mark)
	if !ok {
		if !p.restarts { // later, the machine's bus may be gone, which systemctl complains of
			p.newer.Say("  " + printable(line))
		}
		return
	}
	word, more, _ := strings.Cut(rest, " ")
	switch word {
	case "pulled":
		p.pulled = more
		p.newer.Say("pulled in " + p.took())
	case "deployed":
		p.newer.Say("deployed in " + p.took())
	case "soft-reboot":
		p.restarts = true
		p.newer.Say("soft reboot: it goes on with the same kernel and initramfs")
	case "reboot":
		p.restarts = true
		p.newer.Say("full reboot: " + whyFull(more))
	}
}

// took returns how long the part took that ends now.
func (p *progress) took() string {
	now := time.Now()
	took := now.Sub(p.last)
	p.last = now
	return inSeconds(took)
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// whyFull puts into plain words why ostree prepares no soft reboot.
func whyFull(text string) string {
	switch {
	case strings.Contains(text, "different kernel state"):
		return "the kernel, the initramfs or the kernel's arguments of the new commit are not those that run"
	case strings.Contains(text, "without composefs"):
		return "the machine's root is not a composefs, and ostree can do no soft reboot then"
	}
	return text
}

// answers returns the state once the machine answers, and gives up a connection that the
// restart cut.
func (g Guest) answers(ctx context.Context, patience time.Duration) (guestState, error) {
	if err := g.Wait(ctx, patience); err != nil {
		return guestState{}, err
	}
	ctx, giveUp := context.WithTimeout(ctx, patience)
	defer giveUp()
	return g.state(ctx)
}

// back waits until the machine has restarted, and checks that it runs the commit.
func (g Guest) back(ctx context.Context, n Newer, before string, since time.Time) error {
	ctx, giveUp := context.WithTimeoutCause(ctx, n.Limit, fmt.Errorf("%w within %s after its restart", ErrNoSSH, n.Limit))
	defer giveUp()
	for {
		if !n.Alive() {
			return ErrEnded
		}
		now, err := g.answers(ctx, n.Limit/20)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil || now.start == before:
			// It is on its way down or up.
		case now.commit != n.Commit:
			return fmt.Errorf("the machine came back with %.12s, not with %.12s: the boot of that one failed; `boot-health status` in the machine shows more", now.commit, n.Commit)
		default:
			n.Say(fmt.Sprintf("it runs %.12s, %s after the restart began", now.commit, inSeconds(time.Since(since))))
			return nil
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
