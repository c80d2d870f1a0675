package imagetool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// runDateFudge runs a program at another time, as datefudge(1) of Debian's
// package does. Where that is installed it is what runs, as only a library that
// is loaded into a program can hide the clock from it. Elsewhere the program is
// told by SOURCE_DATE_EPOCH, which mtools, e2fsprogs and most that write
// archives heed.
func runDateFudge(ctx context.Context, p process, args []string) error {
	if real := anotherProgram("datefudge", os.Getenv("PATH")); real != "" {
		return p.inherit(ctx, nil, append([]string{real}, args...))
	}
	if len(args) > 0 && (args[0] == "-s" || args[0] == "--static") {
		args = args[1:]
	}
	if len(args) < 2 {
		return badArgs("a time and a program are needed")
	}
	seconds, err := timestamp(strings.TrimPrefix(args[0], "@"))
	if err != nil || !strings.HasPrefix(args[0], "@") {
		return fmt.Errorf("%q is not a time in the form @SECONDS; the package datefudge, which understands others, is not installed", args[0])
	}
	now := fmt.Sprint(seconds)
	return p.inherit(ctx, map[string]string{"SOURCE_DATE_EPOCH": now, "E2FSPROGS_FAKE_TIME": now}, args[1:])
}

// inherit runs a program with this one's streams, directory and environment, and
// changes to the latter.
func (p process) inherit(ctx context.Context, change map[string]string, argv []string) error {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	for name, value := range change {
		env[name] = value
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	return sandbox.Command{Argv: argv, Env: env, Dir: dir, Stdin: p.In, Stdout: p.Out, Stderr: p.Err}.Run(ctx)
}

// anotherProgram finds a program of that name on a PATH that is not this one
// under that name; "" if there is none.
func anotherProgram(name, path string) string {
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		return ""
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if !os.SameFile(self, info) && filepath.IsAbs(file) {
			return file
		}
	}
	return ""
}
