//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgram builds a flavour with a program of twenty lines, and then with the
// command, which has nothing left to do.
func TestProgram(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	program := filepath.Join(t.TempDir(), "program")
	compile := exec.Command("go", "build", "-o", program, "./builder/build/testdata/program")
	compile.Dir = p.root
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.Command(program, p.dir, flavourName, p.cache)
	var told strings.Builder
	run.Stderr = &told
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	commit := p.manifest().Commit
	if commit == "" || strings.TrimSpace(string(out)) != commit {
		t.Errorf("the program says %q, the manifest %q", out, commit)
	}
	m := p.build()
	if m.Commit != commit || len(m.ran()) > 0 {
		t.Errorf("the command makes commit %s of %s and runs %v", m.Commit, commit, m.ran())
	}
}
