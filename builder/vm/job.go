package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/serve"
)

// ExecVerb is the verb under which this program carries out the [Job] that is
// described on file descriptor 3; see [Exec].
const ExecVerb = "vm-exec"

// SharedDir is where a job's program finds the directory [Job.Shared].
const SharedDir = "/vm"

// Job is a program of the layer with QEMU, to be run in a root of its own.
type Job struct {
	// Tools are the layers of the root, lowest first.
	Tools []string `json:"tools"`
	// Dir is a directory of the job's own on this machine; see [Job.Shared].
	Dir string `json:"dir"`
	// Files are made visible, read-only: path in the root to path outside.
	Files map[string]string `json:"files,omitempty"`
	// Shares are made visible likewise, but can be written to.
	Shares map[string]string `json:"shares,omitempty"`
	// KVM lets the program use /dev/kvm.
	KVM bool `json:"kvm,omitempty"`
	// Network gives it the host's network. Without it there is only a loopback
	// device, on which Serve is served.
	Network bool `json:"network,omitempty"`
	// Serve is an output directory to serve on ServeOn, inside the job's network, and by Site. ServeOn may be "".
	Serve   string `json:"serve,omitempty"`
	ServeOn string `json:"serve_on,omitempty"`
	// Outlets lead from the job's network to servers of this process.
	Outlets []Outlet `json:"outlets,omitempty"`
	// Site serves one repository of Serve under the name of another server.
	Site *Site `json:"site,omitempty"`
	// Inbound leads to the guest's ssh server, which is at [guestSSH] in the job; SSH
	// reports that there is one.
	Inbound *Inbound `json:"-"`
	SSH     bool     `json:"ssh,omitempty"`
	Argv    []string `json:"argv"`
	// Passes reports that the exit status of the program is the job's, and that nothing
	// more is said of it.
	Passes bool   `json:"passes,omitempty"`
	Term   string `json:"term,omitempty"`
}

// Shared is the directory, on this machine, that the program sees as [SharedDir].
func (j Job) Shared() string { return filepath.Join(j.Dir, "shared") }

// Run runs the job until it ends or ctx does; then nothing of it is left but
// the files in its directory. With terminal set, the program has this process's
// standard streams for itself; otherwise what it writes goes to log.
func (j Job) Run(ctx context.Context, terminal bool, log *os.File) error {
	if err := os.MkdirAll(j.Shared(), 0o755); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("run %s: %w", j.Argv[0], err)
	}
	defer r.Close()
	files := []*os.File{r}
	if j.Inbound != nil {
		files, j.SSH = append(files, j.Inbound.file), true
	}
	go func() {
		defer w.Close()
		// If the child dies early, its exit says more than this write would.
		_ = json.NewEncoder(w).Encode(j)
	}()
	child := sandbox.Child{Args: []string{ExecVerb}, Network: j.Network, Stdout: log, Stderr: log, Files: files}
	if terminal {
		child.Interactive = true
		child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	return child.Run(ctx)
}

// Exec carries out the job that is written on r, as the first process of
// namespaces of its own (see sandbox.Child).
func Exec(ctx context.Context, r io.Reader) error {
	var j Job
	if err := json.NewDecoder(r).Decode(&j); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if err := sandbox.Enter(j.Network, nil); err != nil {
		return err
	}
	root, err := j.mount()
	if err != nil {
		return err
	}
	if j.Serve != "" {
		if err := j.serve(ctx); err != nil {
			return err
		}
	}
	for _, o := range j.Outlets {
		if err := o.open(ctx, j.Shared()); err != nil {
			return err
		}
	}
	if j.SSH {
		if err := relay(ctx, os.NewFile(4, "ssh"), guestSSH.Host.String()); err != nil {
			return err
		}
	}
	env := map[string]string{"HOME": "/root", "LC_ALL": "C.UTF-8"}
	if j.Term != "" {
		env["TERM"] = j.Term
	}
	err = sandbox.Command{Argv: j.Argv, Root: root, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}.Run(ctx)
	var exit *sandbox.ExitError
	if j.Passes && errors.As(err, &exit) {
		return &diag.Ended{Status: exit.Status}
	}
	return err
}

// mount mounts the root that the program sees and returns where.
func (j Job) mount() (string, error) {
	base := filepath.Join(j.Dir, "mounts")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	if err := sandbox.MountTmpfs(base, "0755"); err != nil {
		return "", err
	}
	root, upper, work := filepath.Join(base, "root"), filepath.Join(base, "upper"), filepath.Join(base, "work")
	for _, dir := range []string{root, upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "", err
		}
	}
	if err := layer.Mount(root, j.Tools, upper, work); err != nil {
		return "", err
	}
	if err := sandbox.PrepareRoot(root); err != nil {
		return "", err
	}
	if j.KVM {
		if err := sandbox.Bind("/dev/kvm", root+"/dev/kvm", false); err != nil {
			return "", err
		}
	}
	shares := map[string]string{SharedDir: j.Shared()}
	maps.Copy(shares, j.Shares)
	for inside, outside := range shares {
		if err := sandbox.Bind(outside, root+inside, false); err != nil {
			return "", err
		}
	}
	for inside, outside := range j.Files {
		if err := sandbox.Bind(outside, root+inside, true); err != nil {
			return "", err
		}
	}
	return root, nil
}

// serve starts the server and returns when it accepts connections.
func (j Job) serve(ctx context.Context) error {
	h, err := serve.New(j.Serve, nil, func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err != nil {
		return err
	}
	if j.Site != nil {
		if err := j.Site.start(ctx, h, filepath.Join(j.Shared(), requestsLog)); err != nil {
			return err
		}
	}
	if j.ServeOn == "" {
		return nil
	}
	ready := make(chan error, 1)
	go func() {
		ready <- serve.Serve(ctx, j.ServeOn, h, func(string) { ready <- nil })
	}()
	select {
	case err := <-ready:
		return err
	case <-time.After(10 * time.Second):
		return fmt.Errorf("serving on %s: not ready after 10 s", j.ServeOn)
	}
}
