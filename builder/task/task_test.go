package task

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

func TestWarn(t *testing.T) {
	var log strings.Builder
	task := &Task{Log: &log}
	task.Warn("%s is odd", "/etc/a")
	task.Warn("%s is odd", "/etc/a")
	task.Warn("%s is odd", "/etc/\x1b[2Jb\r\nwarning: c\u202e\x00\xff")
	want := []string{"/etc/a is odd", "/etc/b  warning: c\ufffd is odd"}
	if !slices.Equal(task.Warnings, want) {
		t.Errorf("got %q, want %q", task.Warnings, want)
	}
	if got := log.String(); got != "warning: "+want[0]+"\nwarning: "+want[1]+"\n" {
		t.Errorf("the log says %q", got)
	}
}

// TestEnv: programs get the step's variables, and those of an emulator only in a step of
// another architecture; the step's own go before them.
func TestEnv(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		want := map[string]string{"HOME": "/root", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "7", "A": "b"}
		maps.Copy(want, sandbox.EmulatorEnv(arch))
		task := &Task{Step: &plan.Step{Arch: arch, Env: map[string]string{"A": "b"}}, Epoch: 7}
		if got := task.Env(); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", arch, got, want)
		}
		task.Step.Env["QEMU_CPU"] = "cortex-a72"
		if got := task.Env()["QEMU_CPU"]; got != "cortex-a72" {
			t.Errorf("%s: a step that names a processor gets %q", arch, got)
		}
	}
}
