package task

import (
	"slices"
	"strings"
	"testing"
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
