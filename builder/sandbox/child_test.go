package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// children are what the test binary does as a [Child].
var children = map[string]func(args []string) error{
	"child-attacks": childAttacks, "child-attacked": childAttacked,
	"child-caller": childCaller,
	"child-root":   childRoot, "child-sync": childSync, "child-sees": childSees, "child-plain": childPlain,
	"child-fails":  func([]string) error { return errors.New("as told") },
	"child-sleeps": func([]string) error { time.Sleep(time.Hour); return nil },
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if child := children[os.Args[1]]; child != nil {
			if err := child(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(3)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// runChild runs one of the children and returns what it printed.
func runChild(t *testing.T, ctx context.Context, c Child) (string, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it makes namespaces; run it as CI does, sudo make test")
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c.Stdout, c.Stderr = out, out
	err = c.Run(ctx)
	said, rerr := os.ReadFile(out.Name())
	if rerr != nil {
		t.Fatal(rerr)
	}
	return string(said), err
}

// childRoot prepares a root, looks at it, and releases it.
func childRoot(args []string) error {
	root := args[0]
	if err := Enter(false, nil); err != nil {
		return err
	}
	if err := PrepareRoot(root); err != nil {
		return err
	}
	if err := Bind(args[1], filepath.Join(root, "bound"), true); err != nil {
		return err
	}
	var faults []string
	fault := func(format string, a ...any) { faults = append(faults, fmt.Sprintf(format, a...)) }
	for name, want := range map[string]string{
		"tmp": "dtrwxrwxrwx", "run": "drwxr-xr-x", "run/lock": "dtrwxrwxrwx", "dev/null": "Dcrw-rw-rw-", "dev/shm": "dtrwxrwxrwx",
		"dev/stdin": "Lrwxrwxrwx", "proc": "drwxr-xr-x", "dev/pts/ptmx": "Dcrw-rw-rw-",
	} {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			fault("%v", err)
		} else if got := info.Mode().String(); got != want {
			fault("%s has mode %s, want %s", name, got, want)
		}
	}
	if sys, err := os.ReadDir(filepath.Join(root, "sys")); err != nil || len(sys) != 0 {
		fault("/sys holds %v, error %v", sys, err)
	}
	if err := os.WriteFile(filepath.Join(root, "dev/null"), []byte("x"), 0); err != nil {
		fault("/dev/null: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "bound/new"), nil, 0o644); !errors.Is(err, unix.EROFS) {
		fault("a read-only bind can be written: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "tmp/x"), nil, 0o644); err != nil {
		fault("/tmp: %v", err)
	}
	if err := ReleaseRoot(root); err != nil {
		return err
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if bytes.Contains(table, []byte(filepath.Base(filepath.Dir(root)))) {
		fault("still mounted:\n%s", table)
	}
	for _, name := range []string{"tmp/x", "dev/null", "bound/file"} {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil {
			fault("%s is still there", name)
		}
	}
	if err := ReleaseRoot(root); err != nil {
		fault("released again: %v", err)
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	return nil
}

func TestRootPrepareAndRelease(t *testing.T) {
	bound := t.TempDir()
	if err := os.WriteFile(filepath.Join(bound, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", `with a blank and a \ backslash`} {
		root := filepath.Join(t.TempDir(), "unique-to-this-test", name)
		if err := os.MkdirAll(root, 0o755); err != nil {
			t.Fatal(err)
		}
		if said, err := runChild(t, context.Background(), Child{Args: []string{"child-root", root, bound}}); err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
		if table, err := os.ReadFile("/proc/self/mountinfo"); err != nil || bytes.Contains(table, []byte("unique-to-this-test")) {
			t.Errorf("%s: the child's mounts show on the machine, error %v", name, err)
		}
	}
}

// childPlain looks at a directory under a plain name, and that nothing of it stays.
func childPlain(args []string) error {
	if err := Enter(false, nil); err != nil {
		return err
	}
	before, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	err = UnderPlainNames(map[string]string{"one": args[0]}, func(at map[string]string) error {
		for _, c := range at["one"] {
			if c != '/' && (c < 'a' || c > 'z') {
				return fmt.Errorf("%q is not a plain name", at["one"])
			}
		}
		return os.Rename(at["one"]+"/file", at["one"]+"/renamed")
	})
	after, rerr := os.ReadFile("/proc/self/mountinfo")
	if !bytes.Equal(before, after) {
		err = errors.Join(err, fmt.Errorf("still mounted:\n%s", after))
	}
	return errors.Join(err, rerr)
}

func TestRootUnderPlainNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a tree, with: \"odd\" \\ things\nin its name")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if said, err := runChild(t, context.Background(), Child{Args: []string{"child-plain", dir}}); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if _, err := os.Stat(filepath.Join(dir, "renamed")); err != nil {
		t.Errorf("what is done there is not done here: %v", err)
	}
}

// childSync: fsync succeeds even where it cannot, so the kernel never sees it.
func childSync([]string) error {
	if err := unix.Fsync(-1); !errors.Is(err, unix.EBADF) {
		return fmt.Errorf("without the filter fsync(-1) gives %v", err)
	}
	if err := SuppressSync(); err != nil {
		return err
	}
	for name, call := range map[string]func() error{
		"fsync": func() error { return unix.Fsync(-1) }, "fdatasync": func() error { return unix.Fdatasync(-1) },
		"syncfs": func() error { return unix.Syncfs(-1) },
		"msync":  func() error { return unix.Msync(make([]byte, 1), -1) },
	} {
		if err := call(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	// Nothing else is touched, and programs inherit it.
	if err := unix.Close(-1); !errors.Is(err, unix.EBADF) {
		return fmt.Errorf("close(-1) gives %v", err)
	}
	return Command{Argv: []string{"sync", "/"}}.Run(context.Background())
}

func TestRootSuppressSync(t *testing.T) {
	if said, err := runChild(t, context.Background(), Child{Args: []string{"child-sync"}}); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// childSees describes what a child is.
func childSees(args []string) error {
	if err := Enter(args[0] == "network", nil); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	ns, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	fmt.Println(os.Getpid(), host, ns, os.Getenv("LEAKS"), len(os.Environ()))
	return nil
}

func TestRootChild(t *testing.T) {
	t.Setenv("LEAKS", "leaked")
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range []bool{false, true} {
		arg := map[bool]string{false: "none", true: "network"}[network]
		said, err := runChild(t, context.Background(), Child{Args: []string{"child-sees", arg}, Network: network})
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		if !strings.HasPrefix(said, "1 treewright net:[") || strings.Contains(said, "leaked") || !strings.HasSuffix(said, " 2\n") {
			t.Errorf("a child with network %v says %q", network, said)
		}
		if got := strings.Contains(said, here); got != network {
			t.Errorf("it shares the host's network: %v, want %v", got, network)
		}
	}
}

func TestRootChildEnds(t *testing.T) {
	said, err := runChild(t, context.Background(), Child{Args: []string{"child-fails"}})
	var exit *ExitError
	if !errors.As(err, &exit) || err.Error() != "treewright: exit status 3" || said != "as told\n" {
		t.Errorf("error %v, said %q", err, said)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errors.New("the reason"))
	defer cancel()
	start := time.Now()
	_, err = runChild(t, ctx, Child{Args: []string{"child-sleeps"}})
	if err == nil || err.Error() != "the reason" {
		t.Errorf("cancelled: error %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// childCaller prints what a step's programs have of the caller.
func childCaller([]string) error {
	if err := Enter(false, nil); err != nil {
		return err
	}
	return Command{Argv: []string{"sh", "-c", "umask; id -G; ulimit -n; ulimit -c; ulimit -f; ulimit -s; echo ${HOME-none} ${TMPDIR-none} ${LANG-none}; pwd"}, Stdout: os.Stdout, Stderr: os.Stderr}.Run(context.Background())
}

// TestChildrenKnowNothingOfTheCaller has a caller with settings of its own.
func TestChildrenKnowNothingOfTheCaller(t *testing.T) {
	plain, err := runChild(t, context.Background(), Child{Args: []string{"child-caller"}})
	if err != nil {
		t.Fatal(err, plain)
	}
	out, err := Command{
		Argv: []string{"/bin/bash", "-c", `umask 0777; ulimit -S -n 100; ulimit -S -c 5; ulimit -S -f 1000; ulimit -S -s 512; exec setpriv --groups 12345,6 --regid 12346 "$0" -test.run '^TestCallerHelper$'`, os.Args[0]},
		Env:  map[string]string{"HOME": "/tmp", "TMPDIR": "/var/tmp", "LANG": "de_DE", callerHelper: "1"}, Dir: "/usr",
	}.Output(context.Background())
	if err != nil {
		t.Fatal(err, string(out))
	}
	got, _, _ := strings.Cut(string(out), "PASS")
	if got != plain || !strings.HasPrefix(plain, "0022\n0\n1024\n0\nunlimited\n8192\nnone none none\n/\n") {
		t.Errorf("with settings of the caller's own:\n%swithout:\n%s", got, plain)
	}
}

const callerHelper = "TREEWRIGHT_TEST_CALLER"

// TestCallerHelper is the caller with settings of its own; it runs in a process
// that TestChildrenKnowNothingOfTheCaller starts.
func TestCallerHelper(t *testing.T) {
	if os.Getenv(callerHelper) == "" {
		return // it is a process of another test
	}
	err := Child{Args: []string{"child-caller"}, Stdout: os.Stdout, Stderr: os.Stderr}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
}
