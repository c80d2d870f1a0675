package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadConsole reads consoles as QEMU recorded them: of builder_example on
// Debian 13, with other kernel command lines, and of disks with nothing on
// them. Lines between were left out.
func TestReadConsole(t *testing.T) {
	tests := map[string]console{
		"automatic-login": {started: true, spoke: true, login: true, automatic: "root", systemd: 257, last: "root@localhost:~#"},
		"prompt":          {started: true, spoke: true, login: true, systemd: 257, last: "localhost login:"},
		"panic":           {started: true, spoke: true, fault: "the kernel panicked: [   11.105516] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"},
		"emergency":       {started: true, spoke: true, systemd: 257, fault: `the system is in emergency mode: You are in emergency mode. After logging in, type "journalctl -xb" to view`, last: "Press Enter to continue."},
		"no-root":         {started: true, spoke: true, systemd: 257, fault: `the system waits for a device that does not appear: [***   ] Job dev-disk-by\x2dlabel-NOPE.device/start running (3min / no limit)`},
		"reboot":          {started: true, spoke: true, systemd: 257, last: "[   34.927480] reboot: machine restart"},
		"no-console":      {started: true, last: "EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path"},
		"empty-disk":      {fault: "the firmware finds nothing to boot on the disk: >>Start PXE over IPv4.", last: ">>Start PXE over IPv4."},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "console", name+".log"))
			if err != nil {
				t.Fatal(err)
			}
			got := readConsole(string(text))
			if want.last == "" {
				want.last = got.last
			}
			if got != want {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func TestReadConsoleLines(t *testing.T) {
	tests := []struct {
		text string
		want console
	}{
		{text: "", want: console{}},
		{text: "\x1b[2J\x1b[01;01HBdsDxe: starting Boot0001 \"disk\"\r\n", want: console{last: `BdsDxe: starting Boot0001 "disk"`}},
		// A kernel that is told to be quiet leaves the first word to getty.
		{text: "\r\nDebian GNU/Linux 13 host ttyS0\r\n\r\nhost login: ", want: console{started: true, spoke: true, login: true, last: "host login:"}},
		{text: "(none) login: ", want: console{started: true, spoke: true, login: true, last: "(none) login:"}},
		// The kernel's log goes on while somebody is asked for.
		{text: "host login: [   30.123456] eth0: up", want: console{started: true, spoke: true, login: true, last: "host login: [   30.123456] eth0: up"}},
		{text: "[   30.123456] audit: pid=1 login: root", want: console{started: true, spoke: true, last: "[   30.123456] audit: pid=1 login: root"}},
		// Logged in, and out again at once.
		{text: "host login: root (automatic login)\r\nLast login: Mon\r\nLogin incorrect", want: console{started: true, spoke: true, automatic: "root", last: "Login incorrect"}},
		{text: "host login: user (automatic login)\r\n\x1b[?2004h\x1b]0;user@host: ~\auser@host:~$ ", want: console{started: true, spoke: true, login: true, automatic: "user", last: "user@host:~$"}},
		// A shell in place of a login.
		{text: "root@(none):/# ", want: console{started: true, spoke: true, login: true, last: "root@(none):/#"}},
		{text: "# GRUB configuration", want: console{last: "# GRUB configuration"}},
		{text: "grub> ", want: console{fault: "GRUB finds nothing to start: grub>", last: "grub>"}},
		{text: "type help at grub> or so", want: console{last: "type help at grub> or so"}},
		{text: "(initramfs) ", want: console{fault: "the initramfs failed: (initramfs)", last: "(initramfs)"}},
		{text: "[    1.000000] systemd[1]: systemd 252.1-1 running in system mode (+PAM)", want: console{started: true, spoke: true, systemd: 252, last: "[    1.000000] systemd[1]: systemd 252.1-1 running in system mode (+PAM)"}},
		// The first fault is the one that counts.
		{text: "Entering emergency mode.\nKernel panic - not syncing", want: console{fault: "the initramfs failed: Entering emergency mode.", last: "Kernel panic - not syncing"}},
	}
	for _, tt := range tests {
		if got := readConsole(tt.text); got != tt.want {
			t.Errorf("%q: got\n%+v\nwant\n%+v", tt.text, got, tt.want)
		}
	}
}

func TestConsoleTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if got := consoleTail(file); got != "" {
		t.Errorf("no file gives %q", got)
	}
	text := strings.Repeat("before\r\n", 100) + "[*  ] Job\r\n\x1bM\r\x1b[K[ * ] Job\r\n\x1bM\r\x1b[K\x1b[31mlast\x1b[0m\r\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(consoleTail(file), "\n")
	if len(lines) != tailLines+2 || lines[len(lines)-1] != "last" || lines[len(lines)-2] != "before" {
		t.Errorf("got %q", lines)
	}
}
