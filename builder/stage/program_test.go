package stage

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/program"
	"github.com/treewright/treewright/builder/treetest"
)

// elfFile is a program's ELF header and first program header, which have its architecture and linkage.
func elfFile(t *testing.T, machine elf.Machine, dynamic bool, content string) string {
	t.Helper()
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(h.Ident[:], []byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1})
	part := elf.Prog64{Type: uint32(elf.PT_LOAD)}
	if dynamic {
		part.Type = uint32(elf.PT_INTERP)
	}
	h.Phnum = 1
	var b bytes.Buffer
	for _, v := range []any{h, part} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "program")
	treetest.Write(t, file, b.String()+content)
	return file
}

// TestProgram: the program is a source of the commit, above the initramfs, and a program that does not run in the system is refused.
func TestProgram(t *testing.T) {
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS(treetest.Shipped(t))); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(project, "flavours/x.hcl"), `flavour "x" {
  features = ["layering"]
  distribution {
    family = "debian"
    suite  = "testing"
    arch   = "amd64"
  }
}
`)
	loaded := loadProject(t, project)
	with := func(running, named string) (*plan.Graph, error) {
		for _, f := range loaded.Flavours {
			if f.Name != "x" {
				continue
			}
			spec, diags := compose.Resolve(loaded, f)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			spec.Parameters["layering"][program.Parameter] = compose.Value{Any: named, Range: spec.Flavour.Range}
			r := requestOf(t, project, spec)
			r.Program = running
			return Plan(r)
		}
		t.Fatal("there is no flavour x")
		return nil, nil
	}
	one, other := elfFile(t, elf.EM_X86_64, false, "one"), elfFile(t, elf.EM_X86_64, false, "other")
	g, err := with(one, "")
	if err != nil {
		t.Fatal(err)
	}
	s := g.Step("commit/program")
	if s == nil || s.Base != "commit/initramfs" || g.Step("commit/tree").Base != s.ID || len(s.Sources) != 1 || s.Sources[0].Name != accounts.GeneratedSource("treewright") {
		t.Fatalf("the step is %+v", s)
	}
	if got := treetest.Mode(t, filepath.Join(s.Sources[0].Path, program.File)); got != "-rwxr-xr-x" {
		t.Errorf("the program has mode %s", got)
	}
	again, err := with(other, "")
	if err != nil || again.Key("commit/program") == g.Key("commit/program") || again.Key("commit/initramfs") != g.Key("commit/initramfs") {
		t.Errorf("another program has the same key, or makes the initramfs again: %v", err)
	}
	treetest.Write(t, filepath.Join(project, "dist/p"), treetest.Content(t, one))
	if named, err := with(other, "dist/p"); err != nil || named.Step("commit/program").Sources[0].Digest != s.Sources[0].Digest {
		t.Errorf("the same program by its name is another source: %v", err)
	}
	for _, c := range []struct{ file, want string }{
		{elfFile(t, elf.EM_AARCH64, false, ""), "is a program for EM_AARCH64, and the system is of amd64: make release makes treewright-linux-amd64; name that file with the parameter program."},
		{elfFile(t, elf.EM_X86_64, true, ""), "needs libraries, and only a static program runs in each system: make release"},
		{filepath.Join(project, "flavours/x.hcl"), "is not a program: make release"},
		{"dist/none", "dist/none: no such file or directory"},
	} {
		_, err := with(one, c.file)
		var faults *diag.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) || faults.List[0].Subject.Filename != "flavours/x.hcl" {
			t.Errorf("%s: error %v, want %q", c.file, err, c.want)
		}
	}
	if _, err := with("", ""); err == nil || !strings.Contains(err.Error(), "it is not known which program this is") {
		t.Error(err)
	}
}
