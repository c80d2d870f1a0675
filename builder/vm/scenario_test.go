package vm

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// answer plays a guest that answers each script by a function of its text.
func answer(far net.Conn, do func(script string) (output string, status int)) {
	in := bufio.NewReader(far)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		f := strings.Fields(line)
		script, _ := base64.StdEncoding.DecodeString(f[3])
		output, status := do(string(script))
		fmt.Fprintf(far, "done %s %d %s\n", f[1], status, base64.StdEncoding.EncodeToString([]byte(output)))
	}
}

func outcomes(r *Report) string {
	var all []string
	for _, res := range r.Results {
		all = append(all, fmt.Sprintf("%s %s/%s", res.Outcome, res.Group, res.Name))
	}
	return strings.Join(all, "\n")
}

func TestScenarioGoesOnAfterATestThatFails(t *testing.T) {
	session, far := guest(t)
	go answer(far, func(script string) (string, int) {
		if strings.Contains(script, "exec ./bad") || strings.Contains(script, "lost.raw") {
			return "broken", 1
		}
		return "", 0
	})
	s := &Scenario{Session: session, Report: &Report{Out: &strings.Builder{}}, Logs: t.TempDir()}
	ctx := context.Background()
	s.tests(ctx, Tests{Feature: "base", Names: []string{"bad", "good"}})
	s.extension(ctx, Extension{Name: "lost", Tests: []Tests{{Feature: "sysext-lost", Names: []string{"works"}}}})
	s.extension(ctx, Extension{Name: "debug", Tests: []Tests{{Feature: "sysext-debug", Names: []string{"works"}}}})
	want := `FAIL base/bad
ok base/good
FAIL extension/download-lost
skip extension/merge-lost
skip extension/listening-lost
skip sysext-lost/works
ok extension/download-debug
ok extension/merge-debug
ok extension/listening-debug
ok sysext-debug/works`
	if got := outcomes(s.Report); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestScenarioStopsWhereItMust(t *testing.T) {
	session, _ := guest(t)
	s := &Scenario{Session: session, Report: &Report{Out: &strings.Builder{}}, Logs: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	s.point(ctx, "a", "passes", true, func() error { return nil })
	s.point(ctx, "a", "fails", true, func() error { return errors.New("no") })
	s.point(ctx, "b", "never-runs", false, func() error { t.Error("it ran"); return nil })
	cancel()
	s.point(ctx, "c", "never-told", false, func() error { t.Error("it ran"); return nil })
	if got, want := outcomes(s.Report), "ok a/passes\nFAIL a/fails\nskip b/never-runs"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if last := s.Report.Results[2]; last.Text != "after a/fails" {
		t.Errorf("the reason is %q", last.Text)
	}
}

func TestUpgradeNeedsTheCommit(t *testing.T) {
	session, far := guest(t)
	go answer(far, func(script string) (string, int) {
		if strings.Contains(script, "status") {
			return status, 0
		}
		return "No update available.\n", 0
	})
	s := &Scenario{Session: session}
	if err := s.deploy(context.Background(), commitA); err != nil {
		t.Errorf("a commit that is deployed: %v", err)
	}
	if err := s.deploy(context.Background(), strings.Repeat("c", 64)); err == nil || !strings.Contains(err.Error(), "No update available") {
		t.Errorf("a commit that is not deployed: %v", err)
	}
}

func TestWaitForGoesThroughRestarts(t *testing.T) {
	session, far := guest(t)
	go func() {
		in := bufio.NewReader(far)
		runs := func(booted string) string {
			return base64.StdEncoding.EncodeToString([]byte("* debian " + booted + ".0\n"))
		}
		for _, reply := range []string{
			"done 1 0 " + runs(commitB) + "\nready boot-3\n", // the broken commit; then it restarts
			"ready boot-4\n", // in the middle of the answer
			"done 3 0 " + runs(commitA) + "\n",
		} {
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			fmt.Fprint(far, reply)
		}
	}()
	s := &Scenario{Session: session}
	if err := s.waitFor(context.Background(), commitA, time.Minute); err != nil {
		t.Error(err)
	}
	if session.boot != "boot-4" {
		t.Errorf("the boot is %q", session.boot)
	}
}
