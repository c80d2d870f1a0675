package worker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// TestRootKeptIsChecked: if the data that a worker keeps are damaged, it unpacks them again.
func TestRootKeptIsChecked(t *testing.T) {
	needRoot(t)
	m := newMachines(t)
	b := newBuilder(t, m)
	base := files.Step(map[string]string{"etc/read": "right", "etc/b": "b"}, plan.Step{ID: "base"})
	b.build(t, graphOf(t, base))
	g := graphOf(t, base, reads.Step(struct{}{}, plan.Step{ID: "reads", Base: "base"}))
	file := m.damageKept(t)
	b.build(t, g)
	b.silent(t)
	if got := treetest.Content(t, filepath.Join(b.store.Data(g.Key("reads")), "made")); got != "of right" {
		t.Errorf("the step has read %q", got)
	}
	if got := treetest.Content(t, file); got != "right" {
		t.Errorf("the worker still has %q", got)
	}
}

// TestKeptIsBounded: a worker removes the data that were not used for the longest time, except data that another Action uses.
func TestKeptIsBounded(t *testing.T) {
	k, err := openKept(filepath.Join(t.TempDir(), "kept"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.store.Close()
	// A second store has the role of another process, because a process holds all results that it stores.
	others, err := layer.Open(k.dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for i, name := range []string{"oldest", "held", "newer", "newest"} {
		names[name] = strings.Repeat(fmt.Sprint(i), 64)
		draft, err := others.Begin(names[name])
		if err == nil {
			_, err = others.Put(draft, record(100))
		}
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(filepath.Join(k.dir, "results", names[name], "result.json"), at, at); err != nil {
			t.Fatal(err)
		}
		if name != "held" {
			others.LetGo(names[name])
		}
	}
	defer others.Close()
	k.most = 250
	if err := k.shrink(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"oldest": false, "held": true, "newer": true, "newest": true} {
		if _, err := os.Stat(k.store.Data(names[name])); (err == nil) != want {
			t.Errorf("%s exists: %v", name, err == nil)
		}
	}
	k.most = 1 << 30
	if err := k.shrink(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(k.store.Data(names["newer"])); err != nil {
		t.Error("a result is removed although the space is enough")
	}
}

// TestKeptOfOthers: a directory that other users can read or change is refused, because all users can make files in /var/tmp.
func TestKeptOfOthers(t *testing.T) {
	for what, lay := range map[string]func(dir string) error{
		"others can write": func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o770)) },
		"others can read":  func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o704)) },
		"a link":           func(dir string) error { return errors.Join(os.Mkdir(dir+"-aim", 0o700), os.Symlink(dir+"-aim", dir)) },
		"a file":           func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
		"of another user": func(dir string) error {
			if os.Geteuid() != 0 {
				return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) // only root can change the owner
			}
			return errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 12345, 12345))
		},
	} {
		dir := filepath.Join(t.TempDir(), "kept")
		if err := lay(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := openKept(dir); err == nil || !strings.Contains(err.Error(), dir+" is not a directory that only this user can read and change: remove it") {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// TestWorkRefuses: Work returns an error if the order is missing, damaged, or has another version.
func TestWorkRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "no such file",
		"{":                       "is not an order of this version",
		`{"format":0,"steps":[]}`: "is not an order of this version",
	} {
		t.Chdir(t.TempDir())
		if text != "" {
			treetest.Write(t, orderFile, text)
		}
		var out bytes.Buffer
		if err := Work(t.Context(), actions, families, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestTravels: steps with secrets, with a network, or with a history are not sent.
func TestTravels(t *testing.T) {
	s := &Sender{There: NewServer(nil, "")}
	for what, tc := range map[string]struct {
		step plan.Step
		want bool
	}{
		"a step":    {plan.Step{Sources: []plan.Source{{Digest: "sha256:1"}}}, true},
		"secrets":   {plan.Step{Secrets: []plan.Secret{{Name: "x"}}}, false},
		"network":   {plan.Step{Network: true}, false},
		"a history": {plan.Step{Sources: []plan.Source{{Name: "a", Digest: "sha256:1"}, {Name: "b", Digest: "ostree:1"}}}, false},
	} {
		tc.step.ID = "step"
		if got := s.Sends(graphOf(t, tc.step).Step("step")); got != tc.want {
			t.Errorf("%s is sent: %v", what, got)
		}
	}
}

// TestLines: each line is emitted once, with the step that wrote it. The output can come in pieces of any size. Lines of a lost execution
// are dropped.
func TestLines(t *testing.T) {
	var got []string
	a, b, c := heading("a", "1234"), heading("b", "5678"), heading("c", "9")
	l := &lines{headings: []string{a, b}, emit: func(n int, line string) { got = append(got, fmt.Sprint(n, line)) }, again: func() { got = nil }}
	write := func(pieces ...string) {
		for _, piece := range pieces {
			_, _ = l.Write([]byte(piece))
		}
	}
	write("on", "e\ntwo\n", "", "\n"+c+"\n", b[:5], b[5:]+"\n", "thr", "ee\r\n"+b+"\nfo")
	l.end()
	l.end()
	if want := []string{"0one\n", "0two\n", "0\n", "0" + c + "\n", "1three\r\n", "1" + b + "\n", "1fo"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("lines %q, want %q", got, want)
	}
	write("a part", a+"\none\n", b+"\ntwo\n")
	if want := []string{"0one\n", "1two\n"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("after another execution, lines %q, want %q", got, want)
	}
}
