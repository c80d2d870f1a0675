package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
)

// Guest is a machine that runs, as its ssh server shows it.
type Guest struct {
	// Tools are the layers with the ssh client, and Dir is a directory of this guest's own.
	Tools []string
	Dir   string
	// Addr leads to the ssh server, and Key is the file of the private key of [KeyFor].
	Addr netip.AddrPort
	Key  string
	// Term is what kind of terminal the person has, "" without one.
	Term string
}

// KeyPath returns the path of the key that [KeyFor] keeps in a job's shared directory.
func KeyPath(shared string) string { return filepath.Join(shared, keyFile) }

// Restarts lets a shell find out that another process restarts its machine, and go on
// when it is back.
type Restarts struct {
	// Last returns another value after each such restart has begun.
	Last func() string
	// Wait waits until the machine is back. If it has ended instead, the error is
	// [ErrEnded].
	Wait func(ctx context.Context) error
}

// ErrNoSSH is that a machine's ssh server did not answer in time.
var ErrNoSSH = errors.New("it does not answer")

// until returns restarts of a machine that is not waited for once it has ended.
func (r Restarts) until(ended <-chan struct{}) Restarts {
	wait := r.Wait
	r.Wait = func(ctx context.Context) error {
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		go func() {
			select {
			case <-ended:
				stop(ErrEnded)
			case <-ctx.Done():
			}
		}()
		return wait(ctx)
	}
	return r
}

// ErrEnded is that a machine was switched off, or killed.
var ErrEnded = errors.New("the machine has ended")

// lost is the exit status of ssh for a connection that ended.
const lost = 255

// Shell runs an ssh client in the foreground with the command (none: a shell). One that
// ends with another exit status than 0 gives a *[diag.Ended]. A shell whose machine is
// switched off in it has not failed, and one whose machine is restarted opens again.
func (g Guest) Shell(ctx context.Context, command []string, r Restarts) error {
	return attend(ctx, len(command) == 0, r, func() error { return g.client(command).Run(ctx, true, nil) })
}

// attend opens a client, and opens it again if it is a shell that a restart ended.
func attend(ctx context.Context, shell bool, r Restarts, open func() error) error {
	for {
		last := r.Last()
		err := open()
		var failed *sandbox.ExitError
		switch {
		case !errors.As(err, &failed) || strings.HasPrefix(failed.State, "signal"): // a signal would be our own process's
			return err
		case !shell || failed.Status != lost:
			return &diag.Ended{Status: failed.Status}
		case r.Last() == last:
			return nil
		}
		if err := r.Wait(ctx); errors.Is(err, ErrEnded) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Wait waits until the ssh server answers.
func (g Guest) Wait(ctx context.Context, limit time.Duration) error {
	ctx, giveUp := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w after %s", ErrNoSSH, limit))
	defer giveUp()
	return waitSSH(ctx, g.Addr.String())
}

// Script runs a script of sh in the guest as root, and passes on the lines that it
// prints. One that fails gives a *[GuestError], and a connection that ends [ErrLost].
func (g Guest) Script(ctx context.Context, script string, line func(string)) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("run a script in the machine: %w", err)
	}
	defer r.Close()
	ended := make(chan error, 1)
	go func() {
		defer w.Close()
		ended <- g.client([]string{"sh", "-euc", script}).Run(ctx, false, w)
	}()
	var printed strings.Builder
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		printed.WriteString(lines.Text() + "\n")
		line(lines.Text())
	}
	if err := lines.Err(); err != nil {
		r.Close() // a program that still runs must not wait for a reader
		return errors.Join(fmt.Errorf("run a script in the machine: %w", err), <-ended)
	}
	err = <-ended
	var failed *sandbox.ExitError
	switch {
	case !errors.As(err, &failed) || strings.HasPrefix(failed.State, "signal"):
		return err
	case failed.Status == lost:
		return fmt.Errorf("%w: %s", ErrLost, strings.TrimSpace(printed.String()))
	}
	return &GuestError{Status: failed.Status, Output: printed.String()}
}

// ErrLost is that the connection with a machine ended, or could not be made.
var ErrLost = errors.New("the connection with the machine's ssh server ended")

// client is the job of the ssh client.
func (g Guest) client(command []string) Job {
	j := Job{Tools: g.Tools, Dir: g.Dir, Files: map[string]string{"/machine/" + keyFile: g.Key}, Network: true, Term: g.Term, Passes: true}
	j.Argv = []string{"ssh", "-o", "LogLevel=ERROR", "-i", "/machine/" + keyFile, "-p", strconv.Itoa(int(g.Addr.Port())),
		// The machine made its host key just now, so that it cannot be compared.
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
		// A machine that restarts may leave connections open.
		"-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",
		"root@" + g.Addr.Addr().String()}
	j.Argv = append(j.Argv, remoteCommand(command)...)
	return j
}

// remoteCommand returns the words that ssh gets for a command. The machine's shell gets the words
// joined by blanks, and has to find the same words again. One word alone is a line of the
// shell, as it is with ssh.
func remoteCommand(command []string) []string {
	if len(command) < 2 {
		return command
	}
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = sandbox.Quote(word)
	}
	return quoted
}
