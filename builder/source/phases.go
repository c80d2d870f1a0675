package source

import "strings"

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
