package vm

import (
	"fmt"
	"slices"
	"strings"
)

// RootShell is a shell of root on a machine's serial console, without a password. The
// image has nothing of it: it comes as credentials, and only for this boot.
type RootShell struct {
	// Terminal is what kind of terminal the person has, and Rows and Columns are its
	// size; "" and 0 if that is unknown.
	Terminal      string
	Rows, Columns int
}

// terminals are those that every Debian system knows: the ones of ncurses-base that
// people use.
var terminals = []string{
	"linux", "rxvt-unicode", "rxvt-unicode-256color", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "vt220", "xterm", "xterm-256color",
}

// switchOffAfter ends the machine with the shell, as the end of an ssh connection does.
// Not when somebody stops the unit, or all units, on purpose: then there is a job. 203 is
// that agetty is missing (systemd.exec(5)).
const switchOffAfter = `ExecStopPost=/bin/sh -c '[ "$$EXIT_STATUS" = 203 ] || [ -n "$$(systemctl show --property=Job --value %n)" ] || { echo "logged out: the machine is switched off"; exec systemctl --no-block poweroff; }'
`

// dropIn is what is added to the unit of the console's getty.
func (r RootShell) dropIn() string {
	var b strings.Builder
	b.WriteString("[Service]\nSetCredential=agetty.autologin:root\nSetCredential=login.noauth:yes\n")
	if slices.Contains(terminals, r.Terminal) {
		fmt.Fprintf(&b, "Environment=TERM=%s\n", r.Terminal)
	}
	if r.Rows > 0 && r.Columns > 0 {
		fmt.Fprintf(&b, "TTYRows=%d\nTTYColumns=%d\n", r.Rows, r.Columns)
	}
	// Nobody logs in again after the last shell.
	b.WriteString("Restart=no\n" + switchOffAfter)
	return b.String()
}

// Credentials hand the shell to a machine of an architecture. Its kernel need not know
// the serial console as its own. A boot that fails gives a shell as well, and not the
// message that root's account is locked.
func (r RootShell) Credentials(arch string) []Credential {
	const force = "[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n"
	console := boards[arch].console
	return []Credential{
		{Name: "getty.ttys.serial", Value: []byte(console + "\n")},
		{Name: "systemd.unit-dropin.serial-getty@" + console + ".service", Value: []byte(r.dropIn())},
		{Name: "systemd.unit-dropin.emergency.service", Value: []byte(force)},
		{Name: "systemd.unit-dropin.rescue.service", Value: []byte(force)},
	}
}
