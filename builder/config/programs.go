package config

import (
	"bytes"
	"io/fs"
	"path"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/shell"
)

// testDir is the directory of a feature's tests.
const testDir = "test"

// mostScripts bounds what is looked at of all scripts and tests together, in bytes.
const mostScripts = 8 << 20

// readScript looks at the text of a script.
func (l *loader) readScript(f *Feature, name string) {
	if info, err := fs.Stat(l.fsys, name); err == nil { // CheckProgram has just seen it
		l.readProgram(f, name, info)
	}
}

// readProgram looks at the text of a script or test that is to be run: what the
// kernel or a shell would refuse is found before anything is built.
func (l *loader) readProgram(f *Feature, name string, info fs.FileInfo) {
	if !info.Mode().IsRegular() || info.Size() > shell.Longest {
		return
	}
	if l.scripted += int(info.Size()); l.scripted > mostScripts {
		if l.scripted-int(info.Size()) <= mostScripts {
			l.say(Warning(FileStart(name), "Scripts not checked", "From here on, the text of scripts and tests was not checked, because together they are too long."))
		}
		return
	}
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil || bytes.IndexByte(src, 0) >= 0 {
		return // a program; that it cannot be read is reported when it is copied
	}
	before := len(l.diags)
	first := shell.ReadFirst(src)
	l.judgeFirst(name, src, first)
	if l.judgeReturns(name, src); len(l.diags) == before {
		l.judgeSyntax(name, src, first)
	}
	if len(l.diags) == before && path.Base(path.Dir(name)) != testDir && (shell.Named(src) || first.Path == "") {
		l.judgeCommands(f, name, src)
	}
	// Whether another interpreter than a shell is there is judged with the packages.
	if (len(l.diags) > before || first.Program != "" && !shell.Named(src)) && l.project.Files[name] == nil {
		l.project.Files[name] = &hcl.File{Bytes: src}
	}
	interpreter := first.Program
	if dir := path.Dir(first.Path); dir != "/bin" && dir != "/usr/bin" {
		interpreter = "" // no package brings that
	}
	below := path.Base(name)
	if path.Base(path.Dir(name)) == testDir {
		below = testDir + "/" + below
	}
	f.Programs = append(f.Programs, Program{Name: below, Interpreter: interpreter, Range: RangeIn(name, src, first.From, first.To)})
}

// runByBash reports that bash runs a script without a first line that names an
// interpreter, as the Garden Linux builder does.
func runByBash(name string) bool {
	switch path.Base(name) {
	case "exec.early", "exec.accounts", "exec.config", "exec.late":
		return path.Base(path.Dir(name)) != testDir
	}
	return false
}

func (l *loader) judgeFirst(name string, src []byte, first shell.First) {
	at := RangeIn(name, src, first.From, first.To)
	switch {
	case first.Problem != "" && first.Path == "" && runByBash(name) && !bytes.HasPrefix(src, []byte("#!")):
		l.say(Warning(at, "Interpreter not used", "%s Here it is a comment, and bash runs the script.", first.Problem))
	case first.Problem != "" && bytes.IndexByte(src[first.From:min(first.To+1, len(src))], '\r') >= 0:
		l.say(Fault(at, "Interpreter that cannot be found", "%s To remove all of them: sed -i 's/\\r$//' %s", first.Problem, name))
	case first.Problem != "":
		l.say(Fault(at, "Interpreter that cannot be found", "%s", first.Problem))
	case first.Path == "" && !runByBash(name):
		l.say(Fault(at, "Script without an interpreter", "Linux cannot run %s, because its first line does not name an interpreter. For a shell script, write #!/bin/bash there.", path.Base(name)))
	}
}

// judgeReturns finds carriage returns after the first line, which has its own
// message.
func (l *loader) judgeReturns(name string, src []byte) {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	at := bytes.Index(src, []byte("\r\n"))
	if at < 0 || at < len(first) && bytes.HasPrefix(src, []byte("#!")) {
		return
	}
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	l.say(Warning(RangeIn(name, src, start, at), "Script with carriage returns", "The line ends with a carriage return, as in files from Windows; a shell takes it for a part of the last word. To remove all of them: sed -i 's/\\r$//' %s", name))
}

func (l *loader) judgeSyntax(name string, src []byte, first shell.First) {
	program := first.Program
	if first.Path == "" && runByBash(name) {
		program = "bash"
	}
	fault := shell.Syntax(src, program)
	if fault == nil {
		return
	}
	end := len(src)
	if n := bytes.IndexByte(src[fault.At:], '\n'); n >= 0 {
		end = fault.At + n
	}
	at := RangeIn(name, src, fault.At, end)
	switch {
	case fault.Dialect:
		l.say(Warning(at, "Not for this shell", "The first line names %s, and this is for bash: %s. Write #!/bin/bash there, or do without.", program, fault.Text))
	case fault.Certain:
		l.say(Fault(at, "Shell syntax error", "%s cannot read this script: %s.", program, fault.Text))
	default:
		l.say(Warning(at, "Shell syntax error", "It seems that %s cannot read this script: %s.", program, fault.Text))
	}
}

// readTests looks at a feature's tests: its executables in the directory test/.
func (l *loader) readTests(f *Feature, dir string) {
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil {
		return // a file of this name means nothing
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := fs.Stat(l.fsys, name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if info.Mode()&0o111 != 0 {
			l.readProgram(f, name, info)
		} else if l.beginsAsScript(name, info) {
			l.say(Warning(FileStart(name), "Test not executable", "%s is not run as a test, because it is not executable: chmod +x %s", e.Name(), name))
		}
	}
}

// beginsAsScript reports that a file begins with "#!".
func (l *loader) beginsAsScript(name string, info fs.FileInfo) bool {
	if info.Size() > shell.Longest {
		return false
	}
	src, err := fs.ReadFile(l.fsys, name)
	return err == nil && bytes.HasPrefix(src, []byte("#!"))
}
