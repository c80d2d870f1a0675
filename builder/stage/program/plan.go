package program

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// File is where the system has the program.
const File = "/usr/bin/treewright"

// Stage is the stage of features that want the program in the system; their parameter Parameter can name its file.
const (
	Stage     = "program"
	Parameter = "program"
)

// sourceName is the name that the step has in place of a feature's.
const sourceName = "treewright"

// Plan adds the step that brings the program above the step tip, if a feature wants it, and returns the last step. It comes
// after the initramfs, so that another program does not make that again.
func Plan(p *planner.Planner, tip string) (string, error) {
	f := p.Spec.StageFeature(Stage)
	if f == nil {
		return tip, nil
	}
	value := p.Parameter(f, Parameter)
	at, place := p.Program, f.Range
	if named, _ := value.Any.(string); named != "" {
		at, place = named, value.Range
		if !filepath.IsAbs(at) {
			at = filepath.Join(p.Project, at)
		}
	}
	if err := usable(at, p.Arch()); err != nil {
		return "", &diag.Faults{List: hcl.Diagnostics{config.Fault(place, "Program for another system", "%v.", err)}}
	}
	content, err := os.ReadFile(at)
	if err != nil {
		return "", fmt.Errorf("read the program: %w", err)
	}
	src, err := p.Sources.ImportGenerated(accounts.GeneratedSource(sourceName), p.Project, []config.Generated{{Path: File, Content: content, Executable: true}})
	if err != nil {
		return "", err
	}
	return p.Add(rootfs.FilesAction.Step(rootfs.FilesParams{Feature: sourceName}, plan.Step{
		ID: "commit/program", Stage: "commit", Title: "bring this program, by which machines add packages",
		Base: tip, Sources: []plan.Source{src}, Output: plan.Layer, MemoryMiB: 128,
	}))
}

// machines are the names of architectures in programs, by Debian's.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "riscv64": elf.EM_RISCV, "ppc64el": elf.EM_PPC64, "s390x": elf.EM_S390, "loong64": elf.EM_LOONGARCH,
}

// usable is an error if a file is not a program that runs in a system of an architecture, whatever libraries that has.
func usable(file, arch string) error {
	const howTo = "make release makes treewright-linux-%s; name that file with the parameter " + Parameter
	if file == "" {
		return errors.New("it is not known which program this is; name its file with the parameter " + Parameter)
	}
	f, err := elf.Open(file)
	var format *elf.FormatError
	if errors.As(err, &format) {
		return fmt.Errorf("%s is not a program: "+howTo, file, arch)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Machine != machines[arch] {
		return fmt.Errorf("%s is a program for %s, and the system is of %s: "+howTo, file, f.Machine, arch, arch)
	}
	for _, part := range f.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs libraries, and only a static program runs in each system: "+howTo, file, arch)
		}
	}
	return nil
}
