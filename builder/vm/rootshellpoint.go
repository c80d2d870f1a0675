package vm

import (
	"context"
	"errors"
	"strings"
	"time"
)

// waitRootShell waits for root's shell on the console to begin.
const waitRootShell = findRootShell + `
for _ in {1..30}; do
	if [[ -n $(root_shell) ]]; then exit; fi
	sleep 1
done
echo "no shell of root runs on CONSOLE"
systemctl status --no-pager --lines=10 serial-getty@CONSOLE.service || true
exit 1
`

// findRootShell prints the number of root's login shell on the console, if there is one:
// agetty and login are there before it, and it is below them.
const findRootShell = `
root_shell() {
	local process name shell
	shell=$(getent passwd root)
	shell=${shell##*/}
	# Most are told apart without another process, because emulated machines are slow.
	for process in /proc/[0-9]*; do
		if read -r name < "$process/comm" && [[ $name == "$shell" && $(readlink "$process/fd/0") == /dev/CONSOLE ]]; then echo "${process#/proc/}"; fi
	done 2> /dev/null
}
`

// endRootShell ends it as a person does who logs out.
const endRootShell = findRootShell + `
kill -HUP $(root_shell)
`

// rootShell tries what a person gets who runs the machine: root's shell on the console,
// and that the machine is switched off with it. So this point is the last one. That the
// credentials get to systemd at a boot is what the agent shows.
func (s *Scenario) rootShell(ctx context.Context) {
	arch := s.Session.Machine.Arch
	on := func(script string) string { return strings.ReplaceAll(script, "CONSOLE", boards[arch].console) }
	s.point(ctx, "console", "root-shell", false, func() error {
		unit := on("serial-getty@CONSOLE.service")
		state, err := s.output(ctx, "the console's getty", "systemctl is-enabled "+unit+" || true")
		if err == nil && strings.HasPrefix(state, "masked") {
			err = notTested(unit + " is masked")
		}
		if err == nil {
			err = s.script(ctx, "root's shell", RootShell{}.start(arch)+on(waitRootShell))
		}
		if err != nil {
			return err
		}
		return s.leave(ctx, on(endRootShell))
	})
}

// leave runs a script after which the machine must switch itself off in order.
func (s *Scenario) leave(ctx context.Context, script string) error {
	limit := s.limit(30 * time.Second)
	_, err := s.Session.Exec(ctx, "the end of the shell", "set -euo pipefail\n"+script, limit)
	var failed *GuestError
	if errors.As(err, &failed) && !signalled(failed.Status) {
		return err
	}
	select {
	case <-s.Session.ended:
		return s.Session.exit
	case <-time.After(limit):
		return errors.New("the shell ended, and the machine was not switched off after " + limit.String())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
