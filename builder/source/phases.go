package source

import (
	"strings"

	"github.com/treewright/treewright/builder/plan"
)

// phaseFiles are the files and directories of a feature that one phase alone
// reads. Everything else in the directory is at the scripts' disposal.
var phaseFiles = map[string]bool{
	"info.yaml": true, "pkg.include": true, "pkg.exclude": true, "pkg.build": true,
	"file.include": true, "file.template": true, "file.include.stat": true, "file.exclude": true, "file.debs": true, "debconf": true,
	"exec.early": true, "exec.accounts": true, "exec.config": true, "exec.late": true, "exec.post": true, "exec.build": true,
	"fstab": true, "test": true, "README.md": true,
}

// Beside chooses what a script may see of its feature's directory: itself, and
// what belongs to no phase.
func Beside(script string) func(string, bool) bool {
	return func(rel string, _ bool) bool {
		top, _, _ := strings.Cut(rel, "/")
		return top == script || !phaseFiles[top]
	}
}

// ImportOnly imports the named top-level entries with all files below them.
func (s Snapshots) ImportOnly(name, dir string, tops ...string) (plan.Source, error) {
	return s.once(name, dir, "only "+strings.Join(tops, " "), Only(tops...))
}

// ImportBeside imports the files of a feature's directory that a script can see; see [Beside].
func (s Snapshots) ImportBeside(name, dir, script string) (plan.Source, error) {
	return s.once(name, dir, "beside "+script, Beside(script))
}

// once imports files, unless Known has them. what names the choice of files.
func (s Snapshots) once(name, dir, what string, pick func(string, bool) bool) (plan.Source, error) {
	if s.Known == nil {
		return s.Import(name, dir, pick)
	}
	key := [3]string{name, dir, what}
	if known, ok := s.Known.sources.Load(key); ok {
		return known.(plan.Source), nil
	}
	src, err := s.Import(name, dir, pick)
	if err == nil {
		s.Known.sources.Store(key, src)
	}
	return src, err
}
