package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/vm"
)

// Names of files in the directory of a machine that a person runs.
const (
	// recordName is the file of the record. The process that runs the machine has a lock on
	// this very file, which ends with that process: no process has a
	// lock on a record that was left, and a new one is another file.
	recordName = "running.json"
	// takingName is locked while a commit is being taken.
	takingName = "taking.lock"
	// restartsName has another content after each restart for a commit.
	restartsName = "restarts"
)

// record describes a machine while it runs.
type record struct {
	Process int       `json:"process"`
	Started time.Time `json:"started"`
	// Kept is set for the machine with the kept disk.
	Kept bool `json:"kept,omitempty"`
	KVM  bool `json:"kvm,omitempty"`
	// SSH leads to the ssh server; zero if the image has none.
	SSH netip.AddrPort `json:"ssh"`
}

// note notes a machine in its directory until forget is called or the process ends.
func (r record) note(dir string) (forget func(), err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	// Locked before others can see it. No other process notes anything in this directory.
	f, err := os.OpenFile(filepath.Join(dir, "."+recordName+".new"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("note the machine: %w", err)
	}
	path := filepath.Join(dir, recordName)
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		f.Close()
		_ = os.Remove(f.Name())
		return nil, fmt.Errorf("note the machine: %w", err)
	}
	return func() {
		_ = os.Remove(path) // a record that stays does not count without the lock
		f.Close()
	}, nil
}

// Running is a machine that another process runs.
type Running struct {
	record
	dir string
}

// FindRunning returns the machine of a subject that another process runs, and how many more
// there are; nil for none. It is the one with the kept disk if only that will do, else the
// one that was started last.
func FindRunning(b *build.Builder, s *build.Subject, kept bool) (found *Running, more int, err error) {
	return newestOf(b.Output(s).Private, kept)
}

// newestOf does what FindRunning does with a private directory.
func newestOf(private string, kept bool) (found *Running, more int, err error) {
	all, err := running(private)
	if err != nil {
		return nil, 0, err
	}
	all = slices.DeleteFunc(all, func(r Running) bool { return kept && !r.Kept })
	if len(all) == 0 {
		return nil, 0, nil
	}
	slices.SortFunc(all, func(a, b Running) int { return b.Started.Compare(a.Started) })
	return &all[0], len(all) - 1, nil
}

// running returns all machines of a subject that run.
func running(private string) ([]Running, error) {
	dirs, err := layer.Glob(private, runPrefix+"*")
	if err != nil {
		return nil, err
	}
	var all []Running
	for _, dir := range append(dirs, filepath.Join(private, keptDir)) {
		r := Running{dir: dir}
		text, alive, err := r.read()
		if err != nil {
			return nil, err
		}
		if !alive {
			continue
		}
		if err := json.Unmarshal(text, &r.record); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, recordName), err)
		}
		all = append(all, r)
	}
	return all, nil
}

// read returns the record, and whether the process that wrote it is alive.
func (r Running) read() (text []byte, alive bool, err error) {
	path := filepath.Join(r.dir, recordName)
	if alive, err = held(path); err != nil || !alive {
		return nil, false, err
	}
	text, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return text, err == nil, err
}

// alive reports whether it is still this machine that runs there.
func (r Running) alive() bool {
	text, alive, err := r.read()
	var now record
	return err == nil && alive && json.Unmarshal(text, &now) == nil && now.Process == r.Process && now.Started.Equal(r.Started)
}

// Reachable returns an error that explains why no commit can be taken from here; nil if one
// can.
func (r Running) Reachable() error {
	if r.SSH.IsValid() {
		return nil
	}
	return fmt.Errorf("%s has no ssh server, by which it could take the new commit from here; upgrade it on its console (`ostree admin upgrade`, `systemctl reboot`), or end it, or give --new for another machine", r)
}

// String describes the machine.
func (r Running) String() string {
	kept := ""
	if r.Kept {
		kept = "with the kept disk, "
	}
	return "the machine that runs (" + kept + "since " + r.Started.Local().Format("15:04:05") + ", process " + strconv.Itoa(r.Process) + ")"
}

// limit is how long its ssh server may be waited for.
func (r record) limit() time.Duration {
	if r.KVM {
		return 2 * time.Minute
	}
	return 10 * time.Minute
}

// begin notes that a restart begins, which shells in the machine live through.
func (r Running) begin() error {
	return layer.WriteFile(filepath.Join(r.dir, restartsName), []byte(strconv.FormatInt(time.Now().UnixNano(), 10)), 0o600)
}

// restarts lets a shell in the machine live through restarts for commits. say prints a line
// for the user.
func (r Running) restarts(g vm.Guest, say func(string)) vm.Restarts {
	return vm.Restarts{
		Last: func() string {
			text, _ := os.ReadFile(filepath.Join(r.dir, restartsName)) // without one, none was
			return string(text)
		},
		Wait: func(ctx context.Context) error {
			say("the machine restarts for a commit that another `run` has it take; this shell opens again then")
			unlock, err := r.lock(ctx, func() {})
			if err != nil {
				return err
			}
			unlock()
			return g.Wait(ctx, r.limit())
		},
	}
}

// lock waits until no other process has the machine take a commit.
func (r Running) lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	unlock, err = layer.LockFile(ctx, filepath.Join(r.dir, takingName), waiting)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, vm.ErrEnded // its directory is gone
	}
	return unlock, err
}
