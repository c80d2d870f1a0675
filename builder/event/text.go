package event

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// CleanLine returns a line of someone else's output so that it can be put on
// a screen or into a log without doing anything there: escape sequences,
// control characters and invisible formatting characters are gone, bytes that
// are not UTF-8 become U+FFFD, a tab four blanks. Of a line that a progress
// bar rewrote with carriage returns the last state is left.
func CleanLine(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	s = strings.TrimRight(s, "\r\n")
	s = s[strings.LastIndexByte(s, '\r')+1:]
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r == '\x1b':
			s = s[escapeLen(s):]
		case r == '\u009b': // the eight-bit form of ESC [
			s = s[controlLen(s):]
		case r == '\t':
			b.WriteString("    ")
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// maxControlString bounds how far the end of a control string is looked for:
// a binary written to a log may hold any number of beginnings.
const maxControlString = 4096

// escapeLen returns how many bytes after an ESC belong to its sequence, as
// ECMA-48 has it. A control string that does not end within the line is not
// taken for one, so that a stray ESC hides nothing.
func escapeLen(s string) int {
	if s == "" {
		return 0
	}
	switch s[0] {
	case '[':
		return 1 + controlLen(s[1:])
	case ']', 'P', 'X', '^', '_':
		for i := 1; i < min(len(s), maxControlString); i++ {
			switch {
			case s[i] == '\a':
				return i + 1
			case strings.HasPrefix(s[i:], "\x1b\\") || strings.HasPrefix(s[i:], "\u009c"):
				return i + 2
			}
		}
		return 1
	}
	i := 0
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	if i < len(s) && s[i] >= 0x30 && s[i] <= 0x7e {
		i++
	}
	return i
}

// controlLen returns how many bytes after a control sequence introducer
// belong to the sequence.
func controlLen(s string) int {
	i := 0
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x3f {
		i++
	}
	if i < len(s) && s[i] >= 0x40 && s[i] <= 0x7e {
		i++
	}
	return i
}

// cleanText is CleanLine for each line of a text, without empty ones.
func cleanText(s string) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(CleanLine(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// wide holds the blocks whose characters take, or may take, two cells. It is
// coarse on purpose: a line taken for too wide is cut a little early, one
// taken for too narrow would spoil the screen.
var wide = []struct{ lo, hi rune }{
	{0x1100, 0x115f}, {0x231a, 0x232a}, {0x23e9, 0x23f3}, {0x25fd, 0x25fe},
	{0x2600, 0x27bf}, {0x2b1b, 0x2b55}, {0x2e80, 0xa4cf}, {0xa960, 0xa97f},
	{0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f},
	{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x1b2ff}, {0x1f000, 0x1faff},
	{0x20000, 0x3fffd},
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	for _, w := range wide {
		if r >= w.lo && r <= w.hi {
			return 2
		}
	}
	return 1
}

// textWidth returns how many cells a clean line takes at most.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// cut shortens a clean line to at most n cells; an ellipsis replaces what
// was left out. It also ends a heap of combining characters, which take no
// cells at all.
func cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	cells, fits := 0, 0 // fits: the bytes that leave space for the ellipsis
	for i, r := range s {
		cells += runeWidth(r)
		if cells > n || i > 16*n {
			return s[:fits] + "…"
		}
		if cells < n {
			fits = i + utf8.RuneLen(r)
		}
	}
	return s
}

// FormatBytes writes a number of bytes for people, in decimal units: "812 B",
// "14.3 MB".
func FormatBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	unit := 0
	// 999.95 would be printed as 1000.0.
	for f >= 999.95 && unit < 6 {
		f /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", f, " kMGTPE"[unit])
}

// FormatDuration writes a duration for people: "0.4s", "34.2s", "2m03s",
// "1h02m".
func FormatDuration(d time.Duration) string {
	d = max(d, 0)
	if d < 59950*time.Millisecond {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	if d = d.Round(time.Second); d < time.Hour {
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
