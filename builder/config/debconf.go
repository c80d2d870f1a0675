package config

import (
	"bytes"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// debconfFile is the file of a feature with answers to the questions of packages,
// in the form of debconf-set-selections(1).
const debconfFile = "debconf"

// DebconfPasswords is where debconf keeps answers of the type password. A feature
// that lists it among its secrets has such answers on purpose.
const DebconfPasswords = "/var/cache/debconf/passwords.dat"

// debconfTypes are the types of answers, and the one flag, that
// debconf-set-selections(1) knows; it skips any other.
var debconfTypes = []string{"boolean", "multiselect", "note", "password", "seen", "select", "string", "text", "title"}

// debconfLine takes a line apart as debconf-set-selections does: one blank ends the
// type, and all after it is the value.
var debconfLine = regexp.MustCompile(`^\s*(\S+)\s+(\S+)\s+(\S+)(?:\s(.*))?`)

// readDebconf takes in the answers of a feature. The source is kept for messages
// only if no answer is a password, as they show the line.
func (l *loader) readDebconf(f *Feature, name string) {
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		l.say(Fault(FileStart(name), "Cannot read file", "%s.", err))
		return
	}
	if bytes.HasPrefix(src, []byte("\uFEFF")) {
		l.say(Fault(FileStart(name), "Byte order mark", "The file begins with a byte order mark, which debconf-set-selections takes for a part of the first word: save it without one."))
		return
	}
	lines := debconfLines(name, src)
	if l.count(name, PartsOfFile+len(lines)); len(lines) > MaxLines {
		l.say(Fault(lines[MaxLines].Range, "File too large", "A list may have %d lines, and this one has %d.", MaxLines, len(lines)))
		return
	}
	secret := false
	seen := map[string]hcl.Range{}
	for _, line := range lines {
		m := debconfLine.FindStringSubmatchIndex(line.Text)
		if m == nil {
			l.say(Fault(line.Range, "Invalid answer", "A line is PACKAGE QUESTION TYPE VALUE, as in \"tzdata tzdata/Areas select Europe\", or a comment that begins with \"#\"."))
			continue
		}
		part := func(i int) string {
			if m[i] < 0 {
				return ""
			}
			return line.Text[m[i]:m[i+1]]
		}
		question, kind := part(4), part(6)
		l.say(debconfFault(line, kind, m[6], part(8))...)
		// A mistyped type may be that of a password.
		secret = secret || kind == "password" || !slices.Contains(debconfTypes, kind)
		if kind == "password" {
			l.password(f, line, question)
		}
		// The flag "seen" is beside the answer.
		key := question + " " + map[bool]string{true: kind}[kind == "seen"]
		if first, again := seen[key]; again {
			l.say(Fault(line.Range, "Question answered twice", "%s has an answer already at %s.", question, PlaceOf(first)))
			continue
		}
		seen[key] = line.Range
		f.Debconf = append(f.Debconf, Answer{part(2), question, line.Range})
	}
	if !secret {
		l.readText(name)
	}
}

// password reports an answer that nobody should read, unless the feature has it on purpose.
func (l *loader) password(f *Feature, line Line, question string) {
	if !slices.ContainsFunc(f.Secrets, func(s Line) bool { return s.Text == DebconfPasswords }) {
		l.say(Fault(line.Range, "Secret in the configuration", "The answer to %s is a password. Everyone who gets this tree can read it, and so can everyone who gets the commit, if the package writes it to a file. Set it on each machine in another way; or, if it may be public, write secrets: [%s] to %s/info.yaml.", question, DebconfPasswords, f.Dir))
	}
}

// debconfLines divides a file into lines as debconf-set-selections does: one that
// ends with a backslash goes on in the next one, blanks at the end belong to the
// answer, and only a whole line can be a comment.
func debconfLines(name string, src []byte) []Line {
	var lines []Line
	open := false
	number, offset := 0, 0
	for raw := range strings.Lines(string(src)) {
		number++
		text := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
		text, more := strings.CutSuffix(text, `\`)
		if open {
			lines[len(lines)-1].Text += text
		} else {
			lines = append(lines, Line{Text: text, Range: hcl.Range{
				Filename: name,
				Start:    hcl.Pos{Line: number, Column: 1, Byte: offset},
				End:      hcl.Pos{Line: number, Column: 1 + len([]rune(text)), Byte: offset + len(text)},
			}})
		}
		open = more
		offset += len(raw)
	}
	return slices.DeleteFunc(lines, func(l Line) bool {
		text := strings.TrimSpace(l.Text)
		return text == "" || text[0] == '#'
	})
}

// debconfFault finds what is wrong with the type, which begins at an offset of the
// line, and with the value.
func debconfFault(line Line, kind string, at int, value string) hcl.Diagnostics {
	where := line.Range
	if end := at + len(kind); end <= line.Range.End.Byte-line.Range.Start.Byte {
		where.Start.Byte += at
		where.Start.Column += len([]rune(line.Text[:at]))
		where.End = hcl.Pos{Line: where.Start.Line, Column: where.Start.Column + len([]rune(kind)), Byte: where.Start.Byte + len(kind)}
	}
	switch {
	case !slices.Contains(debconfTypes, kind):
		return hcl.Diagnostics{Fault(where, "Unknown type", "%q is not a type of answer: %s are.%s", kind, strings.Join(debconfTypes, ", "), DidYouMean(kind, debconfTypes))}
	case (kind == "boolean" || kind == "seen") && value != "true" && value != "false":
		return hcl.Diagnostics{Fault(line.Range, "Invalid answer", "An answer of the type %s is true or false, after exactly one blank.", kind)}
	case kind != "password" && strings.TrimLeft(value, " \t") != value:
		return hcl.Diagnostics{Warning(line.Range, "Blank in an answer", "The answer begins with a blank, because one blank alone divides it from the type.")}
	}
	return nil
}
