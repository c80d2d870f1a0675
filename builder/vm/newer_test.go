package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
)

const bootID = "a0585afc-dbae-441d-b8c9-ef8539de5a28"

func TestParseState(t *testing.T) {
	pending := "  debian " + commitA + ".0 (pending) (soft-reboot)\n    origin refspec: other:other/ref\n"
	for text, want := range map[string]guestState{
		mark + bootID + " 0\n" + status:           {bootID + " 0", commitB, "main:debian/testing/amd64"},
		mark + bootID + " 1\n" + pending + status: {bootID + " 1", commitB, "main:debian/testing/amd64"},
		// A systemd that counts no soft reboots, and a deployment without an origin.
		mark + bootID + " \n* debian " + commitB + ".0\n    origin: <unknown origin type>\n" + pending: {bootID, commitB, ""},
	} {
		if got, err := parseState(text); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", mark + bootID + " 0\nNo deployments.\n", status} {
		if got, err := parseState(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

func TestStateRemote(t *testing.T) {
	const ref = "debian/testing/amd64"
	for refspec, want := range map[string]string{
		"main:" + ref: "main", "": "follows no ref", ref: "of no remote", "main:debian/stable/amd64": "`ostree admin switch main:" + ref + "`",
	} {
		got, err := guestState{refspec: refspec}.remote(ref)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || (err == nil) != (want == "main") {
			t.Errorf("%q: got %q, want %q", refspec, got, want)
		}
	}
}

// TestTakeProgress: each part is printed, and a reason for a full reboot is
// given.
func TestTakeProgress(t *testing.T) {
	var said []string
	p := progress{newer: Newer{Say: func(line string) { said = append(said, line) }}, last: time.Now()}
	for line := range strings.Lines("6 metadata\x1b[2J objects\n" + mark + "pulled " + commitA + "\n" + mark + "deployed\n" + mark + "reboot Cannot soft-reboot to deployment with different kernel state\n") {
		p.line(strings.TrimSuffix(line, "\n"))
	}
	text := strings.Join(said, "\n")
	for _, want := range []string{"  6 metadata[2J objects", "pulled in ", "deployed in ", "full reboot: the kernel, the initramfs or the kernel's arguments of the new commit are not"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if p.pulled != commitA || !p.restarts {
		t.Errorf("%+v", p)
	}
	soft := progress{newer: p.newer}
	if soft.line(mark + "soft-reboot "); !soft.restarts || !strings.HasPrefix(said[len(said)-1], "soft reboot:") {
		t.Errorf("%+v, said %q", soft, said)
	}
}

// TestTakeFailure: why a machine does not take a commit, with the reason that it printed.
func TestTakeFailure(t *testing.T) {
	var alive atomic.Bool
	alive.Store(true)
	n := Newer{Alive: alive.Load}
	refused := &GuestError{Status: 1, Output: mark + "pulled x\nerror: GPG verification enabled, but no signatures found\n"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is waited for
	if text := n.ended(ctx, refused).Error(); !strings.Contains(text, "no signatures found") || !strings.Contains(text, "has to be signed") || strings.Contains(text, mark) {
		t.Errorf("%q", text)
	}
	lost := fmt.Errorf("%w: Pulling\n%spulled x\nPermission denied (publickey)", ErrLost, mark)
	if text := n.ended(ctx, lost).Error(); !strings.Contains(text, "Permission denied") || !strings.Contains(text, "again") || strings.Contains(text, mark) {
		t.Errorf("%q", text)
	}
	// Its process ends a little later than its connections.
	time.AfterFunc(50*time.Millisecond, func() { alive.Store(false) })
	if err := n.ended(t.Context(), lost); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
}

func TestRemoteCommand(t *testing.T) {
	for _, c := range [][2][]string{
		{nil, nil},
		{{"cd /tmp && ls *"}, {"cd /tmp && ls *"}},
		{{"sh", "-c", `echo "a  b" 'c'`, ""}, {"sh", "-c", `'echo "a  b" '\''c'\'''`, "''"}},
	} {
		if got := remoteCommand(c[0]); !slices.Equal(got, c[1]) {
			t.Errorf("%q: got %q, want %q", c[0], got, c[1])
		}
	}
}

// TestAttend: how a client's end is understood: a shell's lost connection is a machine that
// was switched off in it, or one that another process restarts.
func TestAttend(t *testing.T) {
	exit := func(status int) error {
		return &sandbox.ExitError{Command: sandbox.Command{Argv: []string{"ssh"}}, State: "exit status", Status: status}
	}
	for name, c := range map[string]struct {
		shell bool
		ends  []error // of one client after the other
		last  string  // the restarts, a letter for each look
		wait  error
		want  error
	}{
		"done":                      {true, []error{nil}, "aa", nil, nil},
		"a command fails":           {false, []error{exit(3)}, "aa", nil, &diag.Ended{Status: 3}},
		"a command's machine ends":  {false, []error{exit(255)}, "ab", nil, &diag.Ended{Status: 255}},
		"a shell fails":             {true, []error{exit(3)}, "ab", nil, &diag.Ended{Status: 3}},
		"switched off":              {true, []error{exit(255)}, "aa", nil, nil},
		"restarted, then the end":   {true, []error{exit(255), exit(4)}, "abbb", nil, &diag.Ended{Status: 4}},
		"restarted, twice":          {true, []error{exit(255), exit(255), nil}, "abbcc", nil, nil},
		"ends while it restarts":    {true, []error{exit(255)}, "ab", ErrEnded, nil},
		"does not come back":        {true, []error{exit(255)}, "ab", ErrNoSSH, ErrNoSSH},
		"the user has had enough":   {true, []error{context.Canceled}, "ab", nil, context.Canceled},
		"our own process is killed": {true, []error{&sandbox.ExitError{Command: sandbox.Command{Argv: []string{"ssh"}}, State: "signal: killed", Status: 137}}, "ab", nil, errors.New("signal: killed")},
	} {
		opened, looked := 0, 0
		err := attend(t.Context(), c.shell, Restarts{
			Last: func() string { looked++; return c.last[looked-1 : looked] },
			Wait: func(context.Context) error { return c.wait },
		}, func() error { opened++; return c.ends[opened-1] })
		if (err == nil) != (c.want == nil) || err != nil && !strings.Contains(err.Error(), c.want.Error()) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if opened != len(c.ends) {
			t.Errorf("%s: %d clients", name, opened)
		}
	}
}
