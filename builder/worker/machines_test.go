package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/remote"
)

// machines is a [remote.Executor] that runs the commands of Actions as processes on this machine, each in a separate directory. It keeps
// outputs and the results of Actions in memory.
type machines struct {
	dir, kept string

	// evict is the number of large outputs that are missing when they are fetched. spoil is the number of large outputs with wrong bytes.
	evict, spoil int
	// With lose, the server loses an input. With silent, commands end without a reply.
	lose, silent bool
	// users are the user and group IDs of the user namespace in which commands run. If users is empty, commands run in the user namespace
	// of this machine.
	users []syscall.SysProcIDMap
	// With crash, each command runs twice, as if the first execution was lost at its end.
	crash bool

	mu     sync.Mutex
	blobs  map[string][]byte
	done   map[string]*remote.Done
	output map[string][]byte // the output of the Actions in done
	// ran is the number of commands that ran. answered is the number of Actions that were answered with a known result.
	ran, answered int
}

func newMachines(t *testing.T) *machines {
	t.Helper()
	return &machines{dir: t.TempDir(), kept: filepath.Join(t.TempDir(), "kept"), blobs: map[string][]byte{}, done: map[string]*remote.Done{}, output: map[string][]byte{}}
}

// Run implements [remote.Executor].
func (m *machines) Run(ctx context.Context, a *remote.Action) (*remote.Done, error) {
	name := m.nameOf(a)
	m.mu.Lock()
	known := m.done[name]
	if known != nil && !a.Again {
		m.answered++
		_, err := a.Output.Write(m.output[name])
		m.mu.Unlock()
		return known, err
	}
	m.ran++
	m.mu.Unlock()
	if m.lose {
		return nil, fmt.Errorf("the server has lost %s: %w", a.Inputs[0].Path, remote.ErrMissing)
	}
	dir, err := os.MkdirTemp(m.dir, "action-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, in := range a.Inputs {
		if err := stage(filepath.Join(dir, in.Path), in); err != nil {
			return nil, err
		}
	}
	var output bytes.Buffer
	if m.crash {
		if _, err := m.command(ctx, a, dir, a.Output); err != nil {
			return nil, err
		}
		fmt.Fprint(a.Output, "a part of a li")
	}
	done := &remote.Done{Outputs: map[string]remote.Digest{}, Worker: "here"}
	done.Status, err = m.command(ctx, a, dir, io.MultiWriter(&output, a.Output))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, output := range a.Outputs {
		content, err := os.ReadFile(filepath.Join(dir, output))
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		done.Outputs[output] = m.keep(content)
	}
	if done.Status == 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.done[name], m.output[name] = done, output.Bytes()
	}
	return done, nil
}

// nameOf returns a text that is the same for equal Actions.
func (m *machines) nameOf(a *remote.Action) string {
	inputs := map[string]remote.Digest{}
	for _, in := range a.Inputs {
		inputs[in.Path] = in.Digest
	}
	raw, err := json.Marshal([]any{a.Arguments, inputs, a.Outputs, a.Platform})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// stage writes an input into a file, and returns an error if the content does not have the digest of the input.
func stage(path string, in remote.Input) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if in.Executable {
		mode = 0o755
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	sum := sha256.New()
	err = errors.Join(in.Write(io.MultiWriter(f, sum)), f.Close())
	info, err2 := os.Stat(path)
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	if got := (remote.Digest{Hash: hex.EncodeToString(sum.Sum(nil)), Size: info.Size()}); got != in.Digest {
		return fmt.Errorf("the input %s is %v, want %v", in.Path, got, in.Digest)
	}
	return nil
}

// command runs the command of an Action.
func (m *machines) command(ctx context.Context, a *remote.Action, dir string, out io.Writer) (status int, err error) {
	argv := a.Arguments
	if m.silent {
		argv = []string{"sh", "-c", "echo 'it does not start'; exit 7"}
	}
	for {
		c := exec.CommandContext(ctx, argv[0], argv[1:]...)
		// The path is relative to the directory with the inputs.
		if !m.silent {
			c.Path = filepath.Join(dir, argv[0])
		}
		c.Dir, c.Env, c.Stdout, c.Stderr = dir, append(os.Environ(), keptForTest+"="+m.kept), out, out
		// Another goroutine can have started a process that has the program open for writing for a moment (ETXTBSY).
		if m.users != nil {
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: m.users, GidMappings: m.users}
		}
		if err = c.Run(); !errors.Is(err, unix.ETXTBSY) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func (m *machines) keep(content []byte) remote.Digest {
	sum := sha256.Sum256(content)
	d := remote.Digest{Hash: hex.EncodeToString(sum[:]), Size: int64(len(content))}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[d.Hash] = content
	return d
}

// Fetch implements [remote.Executor].
func (m *machines) Fetch(_ context.Context, d remote.Digest, read func(content io.Reader) error) error {
	m.mu.Lock()
	content, ok := m.blobs[d.Hash]
	large := d.Size > 2000
	evicted, spoiled := large && m.evict > 0, large && m.spoil > 0
	if evicted {
		m.evict--
	} else if spoiled {
		m.spoil--
	}
	m.mu.Unlock()
	if !ok || evicted {
		return remote.ErrMissing
	}
	if spoiled {
		content = bytes.Clone(content)
		content[len(content)/2] ^= 1
	}
	return read(remote.Check(bytes.NewReader(content), "the output", d.Size, d.Hash))
}

// Close implements [remote.Executor].
func (m *machines) Close() error { return nil }

// damageKept changes the bytes of the file etc/read in the data that the machines keep. The size and time of the file stay the same. It
// returns the path of the file.
func (m *machines) damageKept(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(m.kept, "results/*/data/etc/read"))
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, error %v", found, err)
	}
	info, err := os.Stat(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(found[0], []byte("wrong"), 0o644), os.Chtimes(found[0], info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
	return found[0]
}
