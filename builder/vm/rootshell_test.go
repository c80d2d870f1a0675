package vm

import (
	"context"
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

// TestRootShellPoint: the shell is there, and its end is the machine's.
func TestRootShellPoint(t *testing.T) {
	tests := []struct {
		name         string
		start        string // what the machine says when the shell is to start, and its exit status
		status       int
		ends         bool // whether the machine is switched off with it
		want, reason string
	}{
		{"works", "", 0, true, "ok console/root-shell", ""},
		{"masked", "masked\n", 0, false, "skip console/root-shell", "serial-getty@ttyS0.service is masked"},
		{"no shell", "no shell of root runs on ttyS0", 1, false, "FAIL console/root-shell", "no shell of root runs on ttyS0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			session, far := guest(t)
			session.Machine.Arch = "amd64"
			go answer(far, func(script string) (string, int) {
				if strings.Contains(script, "CONSOLE") || strings.Contains(script, "DROPIN") {
					t.Errorf("not all is filled in:\n%s", script)
				}
				if strings.Contains(script, "kill -HUP") {
					if tt.ends {
						close(session.ended)
						session.stop = func() {}
					}
					return "", 0
				}
				if strings.Contains(script, "is-enabled") != (tt.start == "masked\n") {
					return "", 0
				}
				return tt.start, tt.status
			})
			s := &Scenario{Session: session, Report: &Report{Out: &strings.Builder{}}, Logs: t.TempDir()}
			s.rootShell(context.Background())
			if got := outcomes(s.Report); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if text := s.Report.Results[0].Text; !strings.Contains(text, tt.reason) || (tt.reason == "") != (text == "") {
				t.Errorf("the reason is %q", text)
			}
		})
	}
}
