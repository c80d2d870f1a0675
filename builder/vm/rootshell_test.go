package vm

import (
	"strings"
	"testing"
)

func TestRootShellCredentials(t *testing.T) {
	tests := []struct {
		arch, console string
		shell         RootShell
		want          string // lines of the drop-in besides those that all have
	}{
		{"amd64", "ttyS0", RootShell{}, ""},
		{"arm64", "ttyAMA0", RootShell{Terminal: "xterm-256color", Rows: 41, Columns: 133}, "Environment=TERM=xterm-256color\nTTYRows=41\nTTYColumns=133\n"},
		// What the machine does not know would be a complaint at each command.
		{"amd64", "ttyS0", RootShell{Terminal: "xterm-kitty\nRestart=always", Rows: 41}, ""},
	}
	for _, tt := range tests {
		got := map[string]string{}
		for _, c := range tt.shell.Credentials(tt.arch) {
			got[c.Name] = string(c.Value)
		}
		want := "[Service]\nSetCredential=agetty.autologin:root\nSetCredential=login.noauth:yes\n" + tt.want + "Restart=no\n" + switchOffAfter
		if dropIn := got["systemd.unit-dropin.serial-getty@"+tt.console+".service"]; dropIn != want {
			t.Errorf("%s: drop-in\n%s\nwant\n%s", tt.arch, dropIn, want)
		}
		if got["getty.ttys.serial"] != tt.console+"\n" {
			t.Errorf("%s: a getty on %q", tt.arch, got["getty.ttys.serial"])
		}
		for _, unit := range []string{"emergency", "rescue"} {
			if text := got["systemd.unit-dropin."+unit+".service"]; !strings.Contains(text, "SYSTEMD_SULOGIN_FORCE=1") {
				t.Errorf("%s: %s.service has %q", tt.arch, unit, text)
			}
		}
	}
}
