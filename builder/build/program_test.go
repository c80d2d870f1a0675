package build_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgram: a program that imports the package compiles, and hears what is
// wrong with what it asks for. That it builds is seen end to end.
func TestProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/program").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program, small(t), "smal", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), `there is no flavour "smal"; did you mean "small"?`) {
		t.Errorf("error %v\n%s", err, out)
	}
}
