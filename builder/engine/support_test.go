package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// processes counts those with the mark in their environment.
func processes(t *testing.T, mark string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if env, err := os.ReadFile(f); err == nil && bytes.Contains(env, []byte("MARK="+mark)) {
			n++
		}
	}
	return n
}

func expectNoProcess(t *testing.T, mark string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		n := processes(t, mark)
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d processes of the step are still there", n)
			return
		}
	}
}

// expectNoMounts looks for mounts below dir, in every mount namespace.
func expectNoMounts(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var left []string
		files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			table, err := os.ReadFile(f)
			if err != nil {
				continue
			}
			for _, line := range strings.Split(string(table), "\n") {
				if strings.Contains(line, dir+"/") {
					left = append(left, f+": "+line)
				}
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("mounts are left:\n%s", strings.Join(left, "\n"))
			return
		}
	}
}
