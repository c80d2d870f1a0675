package vm

import (
	"strings"
	"testing"
)

// FuzzParseListeners: what a guest prints gives a list or an error, and each of
// the list has a name and an address.
func FuzzParseListeners(f *testing.F) {
	f.Add("holder 12 ssh.service sshd\nsocket tcp 0100007F:0016 12\nsocket tcp6 00000000000000000000000000000000:0050 7\n")
	f.Add("socket raw 00000000:003A 0\nholder x\nsocket udp :1 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseListeners(text)
		if err != nil {
			return
		}
		for _, l := range all {
			if !l.addr.IsValid() || !strings.Contains(l.name, "/") {
				t.Errorf("%q: %+v", text, l)
			}
		}
		undeclared(all, []string{"tcp/22"})
	})
}

// FuzzConsole: a guest's console is read to its end, whatever it prints, and a
// fault names a line of it.
func FuzzConsole(f *testing.F) {
	f.Add("EFI stub: x\r\n[    0.000000] Linux version 6\r\ndebian login: ")
	f.Add("systemd[1]: systemd 260 running\nKernel panic - not syncing: x\ngrub>\n\x1b[2J(initramfs) ")
	f.Fuzz(func(t *testing.T, text string) {
		c := readConsole(text)
		if c.fault != "" && !strings.Contains(c.fault, ": ") {
			t.Errorf("the fault of %q is %q", text, c.fault)
		}
	})
}
