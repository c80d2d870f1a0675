package format

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TmpfilesRule is a line of tmpfiles.d(5). Fields are as systemd-tmpfiles has
// them after quotes, escapes and the specifiers that mean the same on every
// machine; a field that is missing or "-" is "".
type TmpfilesRule struct {
	// Type is the letter, Modifiers what follows it ("!", "^", ...).
	Type      byte
	Modifiers string
	// Path is absolute and clean. With Open set it has specifiers that only a
	// machine can tell.
	Path                   string
	Mode, User, Group, Age string
	Argument               string
	// Open reports that Path or Argument depends on the machine.
	Open bool

	pathAt [2]int // where the path is in the line
}

// ParseTmpfiles reads a line. It returns nil for a comment or a blank line, and
// an error for a line that systemd-tmpfiles passes over with one.
func ParseTmpfiles(line string) (*TmpfilesRule, error) {
	// Blanks at the end of a line are not part of the argument.
	line = strings.TrimRight(line, tmpfilesBlanks)
	rest := strings.TrimLeft(line, tmpfilesBlanks)
	if rest == "" || rest[0] == '#' {
		return nil, nil
	}
	at := len(line) - len(rest)
	var fields [7]string
	var r TmpfilesRule
	for i := range 6 {
		word, start, end, err := tmpfilesWord(line, at)
		if err != nil {
			return nil, err
		}
		if i == 1 {
			r.pathAt = [2]int{start, end}
		}
		fields[i], at = word, end
	}
	fields[6] = strings.TrimLeft(line[at:], tmpfilesBlanks)
	if fields[0] == "" || fields[1] == "" {
		return nil, errors.New("a rule has a type and a path")
	}
	r.Type, r.Modifiers = fields[0][0], fields[0][1:]
	for _, f := range []struct {
		to   *string
		from string
	}{{&r.Mode, fields[2]}, {&r.User, fields[3]}, {&r.Group, fields[4]}, {&r.Age, fields[5]}, {&r.Argument, fields[6]}} {
		if f.from != "-" {
			*f.to = f.from
		}
	}
	return &r, r.expand(fields[1])
}

// expand fills in the path, and the argument's escapes.
func (r *TmpfilesRule) expand(name string) error {
	name, open := tmpfilesSpecifiers(name)
	if r.Open = open; !strings.HasPrefix(name, "/") {
		return fmt.Errorf("the path %q is not absolute", name)
	}
	r.Path = path.Clean(name)
	argument, err := unescapeTmpfiles(r.Argument)
	if err != nil {
		return err
	}
	if strings.IndexByte("fFwLC", r.Type) >= 0 && !strings.Contains(r.Modifiers, "~") {
		argument, open = tmpfilesSpecifiers(argument)
		r.Open = r.Open || open
	}
	r.Argument = argument
	return nil
}

// MoveTmpfiles returns the line with the path that move makes of its own, and
// all else as it was. Specifiers that depend on a machine stay.
func MoveTmpfiles(line string, move func(path string) string) string {
	r, err := ParseTmpfiles(line)
	if r == nil || err != nil {
		return line
	}
	raw, _, _, err := tmpfilesWord(line, r.pathAt[0])
	if err != nil {
		return line
	}
	moved := move(path.Clean(raw))
	if moved == path.Clean(raw) {
		return line
	}
	return line[:r.pathAt[0]] + escapeTmpfiles(moved, "%") + line[r.pathAt[1]:]
}

// EscapeTmpfiles makes a field of a rule that means exactly these bytes,
// a path or an argument. No byte is left that means anything to systemd or ends
// the line.
func EscapeTmpfiles(text string) string {
	return escapeTmpfiles(text, "")
}

func escapeTmpfiles(text, keep string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '%' && keep == "":
			b.WriteString("%%")
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("/._+:@,=~-"+keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	if b.String() == "-" {
		return `\x2d` // alone it means nothing
	}
	return b.String()
}

const tmpfilesBlanks = " \t\r\n"

// tmpfilesWord takes the next word of a line from at on, without its quotes and
// escapes, and says where it stands. Behind the last word it is "".
func tmpfilesWord(line string, at int) (word string, start, end int, err error) {
	for at < len(line) && strings.IndexByte(tmpfilesBlanks, line[at]) >= 0 {
		at++
	}
	start = at
	var b []byte
	quote := byte(0)
	for at < len(line) {
		c := line[at]
		switch {
		case quote == 0 && strings.IndexByte(tmpfilesBlanks, c) >= 0:
			return string(b), start, at, nil
		case c == '\\':
			if b, at, err = unescapeAt(b, line, at); err != nil {
				return "", start, at, err
			}
			continue
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			b = append(b, c)
		}
		at++
	}
	if quote != 0 {
		return "", start, at, fmt.Errorf("a %c is not closed", quote)
	}
	return string(b), start, at, nil
}

func unescapeTmpfiles(text string) (string, error) {
	var b []byte
	for at := 0; at < len(text); {
		if text[at] != '\\' {
			b = append(b, text[at])
			at++
			continue
		}
		var err error
		if b, at, err = unescapeAt(b, text, at); err != nil {
			return "", err
		}
	}
	return string(b), nil
}

// plainEscapes are C's escapes of one letter, and systemd's \s.
var plainEscapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\', '"': '"', '\'': '\'', 's': ' ',
}

// unescapeAt appends what the escape at text[at] means, and returns where
// it ends.
func unescapeAt(to []byte, text string, at int) ([]byte, int, error) {
	bad := fmt.Errorf("%q has an unknown escape sequence", text[at:min(len(text), at+4)])
	if at++; at >= len(text) {
		return to, at, bad
	}
	if c, ok := plainEscapes[text[at]]; ok {
		return append(to, c), at + 1, nil
	}
	digits, base, from := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[at]], 16, at+1
	if digits == 0 {
		digits, base, from = 3, 8, at
	}
	if from+digits > len(text) {
		return to, at, bad
	}
	n, err := strconv.ParseUint(text[from:from+digits], base, 32)
	if err != nil || n == 0 || text[at] != 'u' && text[at] != 'U' && n > 255 {
		return to, at, bad
	}
	if text[at] == 'u' || text[at] == 'U' {
		if !utf8.ValidRune(rune(n)) {
			return to, at, bad
		}
		return utf8.AppendRune(to, rune(n)), from + digits, nil
	}
	return append(to, byte(n)), from + digits, nil
}

// sameSpecifiers are those that mean the same wherever the system's own
// systemd-tmpfiles runs (tmpfiles.d(5), "Specifiers").
var sameSpecifiers = map[byte]string{
	'%': "%", 'C': "/var/cache", 'L': "/var/log", 'S': "/var/lib", 't': "/run", 'T': "/tmp", 'V': "/var/tmp",
	'h': "/root", 'u': "root", 'U': "0", 'g': "root", 'G': "0",
}

// tmpfilesSpecifiers puts in what the same specifiers mean; open says that
// there are others.
func tmpfilesSpecifiers(text string) (expanded string, open bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if s, ok := sameSpecifiers[text[i]]; ok {
			b.WriteString(s)
			continue
		}
		open = true
		b.WriteString(text[i-1 : i+1])
	}
	return b.String(), open
}
