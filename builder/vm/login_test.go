package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// loginScenario has a guest that the test plays and whose console says text.
func loginScenario(t *testing.T, text string) (*Scenario, func(do func(script string) (string, int))) {
	session, far := guest(t)
	session.Machine.Arch = "arm64"
	s := &Scenario{Session: session, Report: &Report{Out: &strings.Builder{}}, Logs: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.Logs, SerialLog), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return s, func(do func(string) (string, int)) {
		fmt.Fprint(far, "ready boot-1\n")
		go answer(far, do)
	}
}

func (s *Scenario) watchLogin(limit time.Duration) error {
	_, err := s.watch(context.Background(), "a login prompt", limit, func(c console) bool { return c.login })
	return err
}

func TestWatch(t *testing.T) {
	const firmware = "BdsDxe: starting Boot0001\r\n"
	tests := []struct{ text, want string }{
		{"\r\nhost login: ", ""},
		{"", "there is no output at all"},
		{firmware, "there is output of the firmware and the boot loader only"},
		{firmware + "EFI stub: Loaded initrd\r\n", "it needs console=ttyAMA0"},
		{"host login: root (automatic login)\r\n", "root was logged in automatically, but no shell shows its prompt"},
		{"[    1.000000] Freeing memory\r\n", "for a login prompt on the serial console, without success"},
	}
	for _, tt := range tests {
		s, _ := loginScenario(t, tt.text)
		switch err := s.watchLogin(time.Millisecond); {
		case tt.want == "" && err != nil:
			t.Errorf("%q: %v", tt.text, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%q: got %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestWatchFollows(t *testing.T) {
	s, _ := loginScenario(t, "[    1.000000] one\r\n")
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = appendFile(s.serialLog(), "host login: ")
	}()
	if err := s.watchLogin(time.Minute); err != nil {
		t.Error(err)
	}
}

func TestWatchReadsThisStartOnly(t *testing.T) {
	s, _ := loginScenario(t, "host login: ")
	s.from = int64(len("host login: "))
	if err := s.watchLogin(time.Millisecond); err == nil {
		t.Error("the login prompt of a start before counts")
	}
}

func TestWatchTellsWhatTheAgentSees(t *testing.T) {
	s, play := loginScenario(t, "EFI stub: Loaded initrd\r\n")
	play(func(script string) (string, int) {
		if strings.Contains(script, "/proc/cmdline") {
			return "kernel command line: quiet\n", 0
		}
		return "", 1
	})
	if err := s.watchLogin(300 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "kernel command line: quiet") {
		t.Errorf("got %v", err)
	}
}

func TestMachinesThatRestartForEver(t *testing.T) {
	s, _ := loginScenario(t, "[    1.000000] reboot: Restarting system\r\n")
	s.Session.Kill()
	s.Session.stop = nil
	s.starts = maxStarts
	if err := s.watchLogin(time.Minute); err == nil || !strings.Contains(err.Error(), "3 times before") {
		t.Errorf("got %v", err)
	}
}

func TestInsideWithoutAnAgent(t *testing.T) {
	s, _ := loginScenario(t, "")
	s.inside(context.Background(), console{systemd: 252})
	want := "skip system/started\nskip system/units\nskip system/root-grown"
	if got := outcomes(s.Report); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, r := range s.Report.Results {
		if !strings.Contains(r.Text, "systemd 252 does not accept") {
			t.Errorf("%s is skipped for %q", r.Name, r.Text)
		}
	}
}

func TestInside(t *testing.T) {
	const failedText = "a.service loaded failed failed A\nb.mount loaded failed failed B\n== a.service\nno\n== b.mount\nno\n"
	tests := []struct {
		name         string
		state, sizes string
		want, text   string
	}{
		{"all well", "running", "950 1000 1000", "ok system/started\nok system/units\nok system/root-grown", ""},
		{"units failed", "degraded", "950 1000 1000", "ok system/started\nskip system/units\nok system/root-grown", "failed: a.service, b.mount;"},
		{"not up", "maintenance", "950 1000 1000", "FAIL system/started\nskip system/units\nok system/root-grown", `the system is "maintenance"`},
		{"not grown", "running", "500 1000 1000", "ok system/started\nok system/units\nFAIL system/root-grown", "it did not grow"},
		{"not to grow", "running", "", "ok system/started\nok system/units\nskip system/root-grown", "no x-systemd.growfs"},
		{"nonsense", "running", "1 2", "ok system/started\nok system/units\nFAIL system/root-grown", `cannot be read: "1 2"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, play := loginScenario(t, "")
			play(func(script string) (string, int) {
				switch {
				case strings.Contains(script, "is-system-running"):
					return tt.state + "\n", map[bool]int{true: 0, false: 1}[tt.state == "running"]
				case strings.Contains(script, "list-units --failed"):
					return failedText, 0
				}
				return tt.sizes, 0
			})
			s.inside(context.Background(), console{systemd: 257})
			if got := outcomes(s.Report); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			var all strings.Builder
			for _, r := range s.Report.Results {
				all.WriteString(r.Text + "\n")
			}
			if !strings.Contains(all.String(), tt.text) {
				t.Errorf("%q is not in %q", tt.text, all.String())
			}
			logged, _ := os.ReadFile(filepath.Join(s.Logs, FailedUnitsLog))
			if (tt.state != "running") != (string(logged) == failedText) {
				t.Errorf("logged: %q", logged)
			}
		})
	}
}
