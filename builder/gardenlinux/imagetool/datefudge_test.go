package imagetool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDateFudge(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	if anotherProgram("datefudge", os.Getenv("PATH")) != "" {
		t.Setenv("PATH", t.TempDir())
	}
	const show = `read -r line; echo "$SOURCE_DATE_EPOCH $line"`
	out, err := runProgram(t, "datefudge", "input\n", "-s", "@12", "/bin/sh", "-c", show)
	if err != nil || out != "12 input\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := runProgram(t, "datefudge", "", "yesterday", "/bin/sh"); err == nil || !strings.Contains(err.Error(), "@SECONDS") {
		t.Errorf("got %v", err)
	}
	if _, err := runProgram(t, "datefudge", "", "-s", "@1"); err == nil || !strings.Contains(err.Error(), "usage: datefudge") {
		t.Errorf("got %v", err)
	}
	// The real one is what runs where it is.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "datefudge"), []byte("#!/bin/sh\necho real \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	if out, err := runProgram(t, "datefudge", "", "-s", "yesterday", "date"); err != nil || out != "real -s yesterday date\n" {
		t.Errorf("got %q, %v", out, err)
	}
}
