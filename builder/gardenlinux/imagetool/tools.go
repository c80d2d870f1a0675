package imagetool

import (
	"context"
	"io"
	"os"
	"strconv"

	"github.com/treewright/treewright/builder/sandbox"
)

// Tools describes where the programs that do the work are found and what becomes
// of their output.
type Tools struct {
	// Path is the PATH to look on, "" for the usual one.
	Path string
	// Temp is the directory for temporary files, "" for /tmp.
	Temp string
	// Log takes what the programs write, nil for nobody.
	Log io.Writer
}

// run runs a program in an environment of its own, so that neither the user's
// locale and configuration nor the time have a say in what it writes.
func (t Tools) run(ctx context.Context, timestamp int64, argv ...string) error {
	return t.command(timestamp, argv).Run(ctx)
}

func (t Tools) command(timestamp int64, argv []string) sandbox.Command {
	now := strconv.FormatInt(timestamp, 10)
	env := map[string]string{
		// mke2fs sorts by this locale, mtools takes file names to be in it. It
		// orders names by their bytes.
		"LC_ALL": "C.UTF-8",
		// FAT's times are local ones.
		"TZ": "UTC",
		// e2fsprogs before 1.47.1 know only the second.
		"SOURCE_DATE_EPOCH": now, "E2FSPROGS_FAKE_TIME": now,
		"HOME": "/nonexistent", "TMPDIR": t.temp(),
	}
	if t.Path != "" {
		env["PATH"] = t.Path
	}
	return sandbox.Command{Argv: argv, Env: env, Stdout: t.Log, Stderr: t.Log}
}

func (t Tools) temp() string {
	if t.Temp == "" {
		return "/tmp"
	}
	return t.Temp
}

// tempFile makes an empty file. It is the caller's to remove.
func (t Tools) tempFile() (string, error) {
	f, err := os.CreateTemp(t.temp(), "part.")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}
