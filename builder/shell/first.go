package shell

import (
	"bytes"
	"path"
	"strings"
)

// First is what the first line of a script says of who runs it.
type First struct {
	// Program is the name, without directories, of what runs the script, after
	// env(1); "" if the line names nothing.
	Program string
	// Path is the program that the kernel starts, as it is written; "" if there is no
	// such line.
	Path string
	// Problem explains why that cannot work, as a sentence; "" if it can.
	Problem string
	// From and To are the offsets of the line, or of what is at fault.
	From, To int
}

// ReadFirst reads the first line of a file that is to be run. A file that does not
// begin with "#!" has neither a program nor, unless such a line is nearby, a problem.
func ReadFirst(src []byte) First {
	line, _, _ := bytes.Cut(src, []byte("\n"))
	f := First{To: len(bytes.TrimRight(line, "\r"))}
	if !bytes.HasPrefix(line, []byte("#!")) {
		f.misplaced(src)
		return f
	}
	if bytes.HasSuffix(line, []byte("\r")) {
		f.Problem = "The line ends with a carriage return, as in files from Windows. Linux takes it for a part of the interpreter's name and finds no such program."
	}
	words := strings.Fields(string(line[len("#!"):]))
	if len(words) == 0 {
		f.Problem = "No interpreter follows #!. For a shell script, write #!/bin/bash"
		return f
	}
	f.Path, f.Program = words[0], path.Base(words[0])
	if !path.IsAbs(f.Path) {
		f.Problem = "The interpreter has to be an absolute path, as in #!/usr/bin/env " + f.Program
		return f
	}
	if f.Program == "env" {
		f.afterEnv(words[1:])
	}
	return f
}

// afterEnv finds the program that env(1) is told to start. The kernel passes all
// that follows env as one argument.
func (f *First) afterEnv(args []string) {
	split := len(args) > 0 && (args[0] == "-S" || strings.HasPrefix(args[0], "--split-string"))
	switch {
	case len(args) == 0:
		f.Program, f.Problem = "", "No program follows env. For a shell script, write #!/usr/bin/env bash"
		return
	case !split && len(args) > 1 && f.Problem == "":
		f.Problem = "Linux passes all that follows env as one argument, so env looks for a program called \"" + strings.Join(args, " ") + "\". Write #!" + f.Path + " -S " + strings.Join(args, " ")
	}
	f.Program = ""
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") {
			f.Program = path.Base(arg)
			return
		}
	}
}

// misplaced finds a line that was to be the first.
func (f *First) misplaced(src []byte) {
	at := bytes.Index(src, []byte("#!/"))
	if at < 0 {
		return
	}
	before := src[:at]
	switch {
	case bytes.Equal(before, []byte("\uFEFF")):
		f.Problem = "There is a byte order mark in front of #!, as some editors write it. #! has to be the first two bytes of the file."
	case len(bytes.TrimSpace(before)) == 0, isComment(before):
		f.Problem = "The line that names the interpreter has to be the first of the file, and #! its first two characters."
	default:
		return
	}
	f.From, f.To = at, len(src)
	if n := bytes.IndexByte(src[at:], '\n'); n >= 0 {
		f.To = at + n
	}
}

// isComment reports that a text is whole lines of comments and blanks.
func isComment(text []byte) bool {
	if !bytes.HasSuffix(text, []byte("\n")) {
		return false
	}
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}
