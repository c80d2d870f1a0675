package sandbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

func TestRun(t *testing.T) {
	t.Setenv("LEAKS", "yes")
	out, err := Command{Argv: []string{"sh", "-c", `pwd; env; cat`}, Env: map[string]string{"A": "1"}, Stdin: strings.NewReader("in\n")}.Output(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/\n", "A=1\n", "PATH=" + defaultPath + "\n", "in\n"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the output lacks %q: %s", want, out)
		}
	}
	if bytes.Contains(out, []byte("LEAKS")) {
		t.Error("the environment is inherited")
	}
	dir := t.TempDir()
	out, err = Command{Argv: []string{"pwd"}, Dir: dir}.Output(context.Background())
	if err != nil || string(out) != dir+"\n" {
		t.Errorf("in another directory: %q, error %v", out, err)
	}
	if env := HostEnv(); env["LEAKS"] != "yes" || env["LC_ALL"] != "C.UTF-8" {
		t.Errorf("the host's environment is %v", env)
	}
}

func TestRunFails(t *testing.T) {
	out, err := Command{Argv: []string{"sh", "-c", "echo out; echo why >&2; exit 7"}}.Output(context.Background())
	var exit *ExitError
	if !errors.As(err, &exit) || exit.State != "exit status 7" {
		t.Fatalf("error %v", err)
	}
	if string(out) != "out\n" || err.Error() != "sh: exit status 7\nwhy" {
		t.Errorf("output %q, error %q", out, err)
	}
	err = Command{Argv: []string{"sh", "-c", "kill -9 $$"}}.Run(context.Background())
	if !errors.As(err, &exit) || exit.State != "signal: killed" {
		t.Errorf("killed: error %v", err)
	}
	// One explains why it cannot be run again as it stands: the program does not exist.
	err = Command{Argv: []string{"no-such-program"}}.Run(context.Background())
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "no-such-program: no such program (looked in "+defaultPath) {
		t.Errorf("missing: error %v", err)
	}
	if err := (Command{}).Run(context.Background()); err == nil || errors.As(err, &exit) {
		t.Errorf("nothing: error %v", err)
	}
	if err := (Command{Argv: []string{"/etc/passwd"}}).Run(context.Background()); err == nil || errors.As(err, &exit) || !strings.Contains(err.Error(), "run /etc/passwd: ") {
		t.Errorf("no program: error %v", err)
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errors.New("the reason"))
	defer cancel()
	start := time.Now()
	err := Command{Argv: []string{"sleep", "60"}}.Run(ctx)
	if err == nil || err.Error() != "sleep: the reason" {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestLookup(t *testing.T) {
	if !Installed("sh") || Installed("no-such-program") {
		t.Error("Installed does not know this machine")
	}
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: a root has programs of its own; run it as CI does, sudo make test")
	}
	root := t.TempDir()
	for _, dir := range []string{"usr/bin", "opt"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// They are found, and then are not programs.
	for name, mode := range map[string]os.FileMode{"usr/bin/tool": 0o755, "usr/bin/text": 0o644, "opt/tool": 0o755, "opt/alternative": 0o755} {
		if err := os.WriteFile(filepath.Join(root, name), []byte{0}, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/opt/alternative", filepath.Join(root, "usr/bin/alternative")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, path, want string }{
		{"tool", "", "fork/exec /usr/bin/tool: "}, {"tool", "/opt:/usr/bin", "fork/exec /opt/tool: "}, {"alternative", "", "fork/exec /usr/bin/alternative: "},
		{"/some/where", "", "fork/exec /some/where: "}, {"text", "", "no such program (looked in "}, {"sh", "/a:/b", "no such program (looked in /a:/b)"},
	} {
		env := map[string]string{}
		if tc.path != "" {
			env["PATH"] = tc.path
		}
		err := Command{Argv: []string{tc.name}, Root: root, Env: env}.Run(context.Background())
		if err == nil || !strings.Contains(err.Error(), tc.want) || errors.Is(err, ErrNotFound) != strings.HasPrefix(tc.want, "no such") {
			t.Errorf("%s on %q: error %v; want %q", tc.name, tc.path, err, tc.want)
		}
	}
}

func TestString(t *testing.T) {
	for want, c := range map[string]Command{
		"ls -l":                            {Argv: []string{"ls", "-l"}},
		"echo 'a b' '' 'it'\\''s' '$HOME'": {Argv: []string{"echo", "a b", "", "it's", "$HOME"}},
		"chroot '/a b' sh -c 'x; y'":       {Root: "/a b", Argv: []string{"sh", "-c", "x; y"}},
		"--a=b,c:d@e%f+g/h_i.j":            {Argv: []string{"--a=b,c:d@e%f+g/h_i.j"}},
		"echo '~' '*' 'ü' '\n'":            {Argv: []string{"echo", "~", "*", "ü", "\n"}},
	} {
		if got := c.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// What a failed command prints can be pasted.
	err := Command{Argv: []string{"sh", "-c", `test "$1" = "it's \"that\""`, "sh", `it's "this"`}}.Run(context.Background())
	var exit *ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	again := exec.Command("bash", "-c", exit.Command.String()).Run()
	if again == nil || again.Error() != exit.State {
		t.Errorf("run again it gives %v, first it was %s", again, exit.State)
	}
}

// FuzzQuote: bash takes a quoted word for exactly the word.
func FuzzQuote(f *testing.F) {
	for _, w := range []string{"", "plain", "a b", "it's", "''", `\`, "$(id)", "`id`", "!x", "~", "-n", "#", "a\nb", "\xff\xfe", "{a,b}", "*", "=x", "[a]"} {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsRune(word, 0) || len(word) > 10000 {
			return // no argument can hold that
		}
		// As an argument, and as the first word after others: # and ~ are
		// special there.
		out, err := exec.Command("bash", "-c", "printf %s. "+Quote(word)+" x").Output()
		if err != nil || string(out) != word+".x." {
			t.Errorf("%q becomes %s, and that %q, error %v", word, Quote(word), out, err)
		}
	})
}
