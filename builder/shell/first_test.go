package shell

import "testing"

func TestReadFirst(t *testing.T) {
	for _, c := range []struct{ src, program, path, problem string }{
		{"#!/bin/sh\n", "sh", "/bin/sh", ""},
		{"#! /usr/bin/env -S bash -eu\n", "bash", "/usr/bin/env", ""},
		{"#!/usr/bin/env python3", "python3", "/usr/bin/env", ""},
		{"#!/usr/bin/env LANG=C bash\n", "bash", "/usr/bin/env", "Linux passes all that follows env as one argument, so env looks for a program called \"LANG=C bash\". Write #!/usr/bin/env -S LANG=C bash"},
		{"#!/usr/bin/env\n", "", "/usr/bin/env", "No program follows env. For a shell script, write #!/usr/bin/env bash"},
		{"#!bash\n", "bash", "bash", "The interpreter has to be an absolute path, as in #!/usr/bin/env bash"},
		{"#!\n", "", "", "No interpreter follows #!. For a shell script, write #!/bin/bash"},
		{"#!/bin/bash\r\n:\r\n", "bash", "/bin/bash", "The line ends with a carriage return, as in files from Windows. Linux takes it for a part of the interpreter's name and finds no such program."},
		{"\n#!/bin/sh\n", "", "", "The line that names the interpreter has to be the first of the file, and #! its first two characters."},
		{"# me\n\n#!/bin/sh\n", "", "", "The line that names the interpreter has to be the first of the file, and #! its first two characters."},
		{" #!/bin/sh\n", "", "", "The line that names the interpreter has to be the first of the file, and #! its first two characters."},
		{"\uFEFF#!/bin/sh\n", "", "", "There is a byte order mark in front of #!, as some editors write it. #! has to be the first two bytes of the file."},
		{"cat >x <<E\n#!/bin/sh\nE\n", "", "", ""},
		{"", "", "", ""},
	} {
		if f := ReadFirst([]byte(c.src)); f.Program != c.program || f.Path != c.path || f.Problem != c.problem {
			t.Errorf("%q: %+v", c.src, f)
		}
	}
}

func TestSyntax(t *testing.T) {
	for _, c := range []struct {
		src, program, text string
		certain, dialect   bool
		at                 int
	}{
		{src: "echo\nif true; then\n  :\n", program: "sh", text: `"if" statement must end with "fi"`, certain: true, at: 5},
		{src: "echo 'a\n", program: "bash", text: `the file ends without closing quote "'"`, certain: true, at: 5},
		{src: "cat <<E\nfoo\n", program: "bash", text: `unclosed here-document "E"`, at: 4},
		{src: "echo )\n", program: "bash", text: `a command can only contain words and redirects; encountered ")"`, at: 5},
		{src: "a=(1 2)\n", program: "bash"},
		{src: "a=(1 2)\n", program: "dash", text: "arrays", dialect: true, at: 2},
		{src: "if\n", program: "python3"},
	} {
		f := Syntax([]byte(c.src), c.program)
		if c.text == "" && f != nil || c.text != "" && (f == nil || *f != SyntaxFault{c.at, c.text, c.certain, c.dialect}) {
			t.Errorf("%s %q: %+v", c.program, c.src, f)
		}
	}
}
