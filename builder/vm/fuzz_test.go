package vm

import (
	"fmt"
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

// FuzzParseForward: a port forward is of an IPv4 address and two ports, and the same
// when it is written out.
func FuzzParseForward(f *testing.F) {
	for _, text := range []string{"8022:22", "0.0.0.0:8022:22", "[::1]:8022:22", ":22", "8022:", "08022:022", "127.0.0.1:0:22", "1:65536"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseForward(text)
		if err != nil {
			return
		}
		if !got.Host.Addr().Is4() || got.Host.Port() == 0 || got.Guest == 0 {
			t.Errorf("%q: %+v", text, got)
		}
		if again, err := ParseForward(fmt.Sprintf("%s:%d", got.Host, got.Guest)); err != nil || again != got {
			t.Errorf("%q: %+v, and written out %+v, %v", text, got, again, err)
		}
	})
}

// FuzzParseSizes: sizes are of something, so that what is computed of them is true.
func FuzzParseSizes(f *testing.F) {
	for _, text := range []string{"1 2 3\n", "4294967296 4294967296 8589934592", "-1 2 3", "0 0 0", "1 9223372036854775807 9223372036854775808", "1 2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := parseSizes(text)
		if err != nil {
			return
		}
		if size.system <= 0 || size.partition <= 0 || size.disk <= 0 {
			t.Errorf("%q: %+v", text, size)
		}
		if size.system >= size.partition && size.check() != nil {
			t.Errorf("%q: %v", text, size.check())
		}
		if again, err := parseSizes(fmt.Sprintln(size.system, size.partition, size.disk)); err != nil || again != size {
			t.Errorf("%q: %+v, and written out %+v, %v", text, size, again, err)
		}
	})
}
