package config

import (
	"bytes"
	"regexp"
	"strings"
)

// shellCode returns a script as long as it was, so that places stay, but with
// blanks for all that is not run: comments, and here-documents but for what is
// substituted in them. Lines joined by a backslash are one line. It is a guess:
// nobody but a shell can read a shell script.
func shellCode(src []byte) []byte {
	s := &shellScanner{src: src, out: bytes.Clone(src), modes: []byte{'b'}}
	for s.at < len(src) {
		s.step()
	}
	return s.out
}

// shellScanner walks over a script and keeps in mind what it is within.
type shellScanner struct {
	src, out []byte
	at       int
	// modes is a stack: base, parenthesis, double quotes. Single quotes and
	// here-documents are passed in one go.
	modes []byte
	docs  []hereDoc // those that begin at the next line
}

type hereDoc struct {
	end              string
	tabs, plain, run bool
}

func (s *shellScanner) mode() byte { return s.modes[len(s.modes)-1] }

func (s *shellScanner) step() {
	c := s.src[s.at]
	inside := s.mode()
	switch {
	case c == '\\':
		s.escape()
		return
	case inside == '"':
		s.inQuotes(c)
	case c == '#' && s.startsWord():
		s.skipLine()
		return
	case c == '\'':
		s.singleQuotes()
		return
	case c == '"':
		s.modes = append(s.modes, '"')
	case c == '(':
		s.modes = append(s.modes, '(')
	case c == ')' && inside == '(':
		s.modes = s.modes[:len(s.modes)-1]
	case c == '<' && bytes.HasPrefix(s.src[s.at:], []byte("<<")):
		s.redirection()
		return
	case c == '\n':
		s.at++
		for _, doc := range s.docs {
			s.skipDocument(doc)
		}
		s.docs = nil
		return
	}
	s.at++
}

func (s *shellScanner) escape() {
	if s.at+1 < len(s.src) && s.src[s.at+1] == '\n' {
		s.out[s.at], s.out[s.at+1] = ' ', ' '
	}
	s.at += 2
}

func (s *shellScanner) inQuotes(c byte) {
	switch {
	case c == '"':
		s.modes = s.modes[:len(s.modes)-1]
	case c == '$' && s.at+1 < len(s.src) && s.src[s.at+1] == '(':
		s.modes = append(s.modes, '(')
		s.at++
	}
}

// startsWord says whether a "#" here starts a comment: in ${x#y} and $# it
// does not.
func (s *shellScanner) startsWord() bool {
	return s.at == 0 || strings.IndexByte(" \t\n;|&()", s.src[s.at-1]) >= 0
}

func (s *shellScanner) skipLine() {
	for s.at < len(s.src) && s.src[s.at] != '\n' {
		s.out[s.at] = ' '
		s.at++
	}
}

func (s *shellScanner) singleQuotes() {
	escapes := s.at > 0 && s.src[s.at-1] == '$'
	for s.at++; s.at < len(s.src) && s.src[s.at] != '\''; s.at++ {
		if escapes && s.src[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

var (
	hereStart = regexp.MustCompile(`^<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([A-Za-z0-9_.!%+-]+))`)
	// A shell is told what to do by such a document.
	shellReads = regexp.MustCompile(`(?:^|[ \t;|&(/])(?:ba|da|z|k)?sh(?:[ \t]+-[a-z]+)*[ \t]*$`)
	substitute = regexp.MustCompile("\\$\\([^()\n]*(?:\\([^()\n]*\\)[^()\n]*)*\\)|`[^`\n]*`")
)

func (s *shellScanner) redirection() {
	if bytes.HasPrefix(s.src[s.at:], []byte("<<<")) {
		s.at += 3
		return
	}
	m := hereStart.FindSubmatch(s.src[s.at:min(len(s.src), s.at+1000)])
	if m == nil || bytes.HasSuffix(s.src[:s.at], []byte("((")) {
		s.at += 2
		return
	}
	before := s.src[max(0, s.at-200):s.at]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	s.docs = append(s.docs, hereDoc{
		end: string(m[2]) + string(m[3]) + string(m[4]), tabs: len(m[1]) > 0,
		plain: len(m[2])+len(m[3]) > 0 || bytes.IndexByte(m[0], '\\') >= 0, run: shellReads.Match(line),
	})
	s.at += len(m[0])
}

// skipDocument blanks the lines of a here-document.
func (s *shellScanner) skipDocument(doc hereDoc) {
	for s.at < len(s.src) {
		end := len(s.src)
		if n := bytes.IndexByte(s.src[s.at:], '\n'); n >= 0 {
			end = s.at + n
		}
		line := string(s.src[s.at:end])
		if doc.tabs {
			line = strings.TrimLeft(line, "\t")
		}
		last := line == doc.end
		if !doc.run || last {
			kept := map[int]bool{}
			if !doc.plain {
				for _, m := range substitute.FindAllIndex(s.src[s.at:end], -1) {
					for i := m[0]; i < m[1]; i++ {
						kept[s.at+i] = true
					}
				}
			}
			for i := s.at; i < end; i++ {
				if !kept[i] {
					s.out[i] = ' '
				}
			}
		}
		s.at = min(end+1, len(s.src))
		if last {
			return
		}
	}
}
