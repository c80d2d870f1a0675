package build

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/worker"
)

// usualActions is the number of Actions at the same time without the option -j. The number is large, because this machine mostly waits for
// Actions.
const usualActions = 16

// executor sets the executor of an engine: this machine, or the workers of a server.
func (b *Builder) executor(e *engine.Engine, p *Prepared, r reporter) error {
	here := b.backend.Executor(e.Sink)
	e.Executor = here
	o, project := b.options.Exec, p.Subject.Project
	named := project.RemoteExec
	switch {
	case o.URL == NoRemote || o.URL == "" && named == nil:
		if len(o.Platform)+len(o.Programs) > 0 {
			return diag.Requestf("--remote-platform and --remote-program need a server for remote execution, and neither --remote-exec nor treewright.hcl names a server: write --remote-exec URL")
		}
		return nil
	case b.options.Again:
		r.note("all steps are carried out on this machine, because a server can answer with results of earlier builds")
		return nil
	case b.options.Offline:
		r.note("steps are not carried out by other machines, because this build is offline")
		return nil
	case named == nil || o.URL != "" && o.URL != named.URL.Text:
		named = &config.RemoteExec{} // the properties of a tree are only for the workers of its server
	}
	if problem := config.RemoteExecProblem(o.URL); o.URL != "" && problem != "" {
		return diag.Requestf("the server for remote execution %q %s", o.URL, problem)
	}
	platforms, err := o.platforms(named, b.backend.Arch)
	if err != nil {
		return err
	}
	access, err := b.server(project, o.URL, &named.RemoteServer)
	if err != nil {
		return err
	}
	b.workers.Lock()
	defer b.workers.Unlock()
	if b.workers.server == nil {
		there, err := b.backend.OpenExec(*access)
		if err != nil {
			return serverFault(project, o.URL, func() hcl.Range { return named.URL.Range }, execFault, err)
		}
		b.workers.server = worker.NewServer(there, access.URL)
	}
	sender := &worker.Sender{
		Here: here, There: b.workers.server, Platforms: platforms, Store: p.Cache.Store, Sink: e.Sink, Warn: r.warn,
		Emulate: func(ctx context.Context, arch string) error {
			if arch == b.backend.Arch {
				return nil
			}
			return b.backend.Emulate(ctx, p.distro, arch, b.options.Cache, e.Sink)
		},
	}
	e.Executor, e.Sent, e.Actions = sender, sender.Sends, usualActions
	if b.options.Jobs > 0 {
		e.Actions, e.Workers = b.options.Jobs, 0
	}
	return nil
}

// architectures has the architectures of workers, by Debian's names: the value of the property ISA of the Remote Execution API
// (https://github.com/bazelbuild/remote-apis, platform.md), and the machine of ELF files.
var architectures = map[string]struct {
	isa     string
	machine elf.Machine
}{
	"amd64": {"x86-64", elf.EM_X86_64},
	"arm64": {"arm-a64", elf.EM_AARCH64},
}

// platforms returns a function that describes the workers for the steps of an architecture. own is the architecture of this machine.
func (o ExecOptions) platforms(named *config.RemoteExec, own string) (func(arch string) worker.Platform, error) {
	programs := map[string]string{own: "/proc/self/exe"}
	for _, text := range o.Programs {
		arch, file, ok := strings.Cut(text, "=")
		if !ok || architectures[arch].isa == "" {
			return nil, diag.Requestf("--remote-program %q is not ARCHITECTURE=FILE with amd64 or arm64", text)
		}
		if problem := programProblem(file, arch); problem != "" {
			return nil, diag.Requestf("--remote-program %s: %s", text, problem)
		}
		programs[arch] = file
	}
	var properties []config.Property
	for _, line := range named.Platform {
		p, _ := config.ParseProperty(line.Text)
		properties = append(properties, p)
	}
	for _, text := range o.Platform {
		p, problem := config.ParseProperty(text)
		if problem != "" {
			return nil, diag.Requestf("--remote-platform %q %s", text, problem)
		}
		properties = append(properties, p)
	}
	return func(arch string) worker.Platform {
		of := worker.Platform{Program: programs[arch], Properties: map[string]string{"OSFamily": "linux", "ISA": architectures[arch].isa}}
		for _, p := range properties {
			if p.Arch == "" || p.Arch == arch {
				of.Properties[p.Name] = p.Value
			}
		}
		for name, value := range of.Properties {
			if value == "" {
				delete(of.Properties, name)
			}
		}
		return of
	}, nil
}

// programProblem returns the fault of a file that --remote-program names; "" for a file with the ELF header of a program for the
// architecture. It does not check whether the file is this program.
func programProblem(file, arch string) string {
	what := "is not a program"
	f, err := elf.Open(file)
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return err.Error()
	case err == nil:
		f.Close()
		if f.Machine == architectures[arch].machine {
			return ""
		}
		what = "is a program for " + f.Machine.String()
	}
	return fmt.Sprintf("the file %s; GOARCH=%s CGO_ENABLED=0 go build -o FILE ./builder/cmd/treewright makes one", what, arch)
}
