package account

import (
	"fmt"
	"strconv"
	"strings"
)

// Line is a line of sysusers.d(5).
type Line struct {
	Text string // as it stands, without blanks at its ends
	// Type is u, u!, g, m or r; ID is the third field, "" for "-".
	Type, Name, ID string
	// Rest are the fields after the third.
	Rest []string
}

// UID returns the number that a line of type u asks for, if it does.
func (l Line) UID() (uint32, bool) {
	if l.Type != "u" && l.Type != "u!" {
		return 0, false
	}
	uid, _, _ := strings.Cut(l.ID, ":")
	n, err := number(uid)
	return n, err == nil
}

// primary is the number of a user's first group: its own unless the line names
// another by number.
func (l Line) primary(uid uint32) uint32 {
	if _, gid, apart := strings.Cut(l.ID, ":"); apart {
		if n, err := number(gid); err == nil {
			return n
		}
	}
	return uid
}

// GID returns the number that a line asks for a group of its own name. A line
// for a user asks for the group too, unless it names another.
func (l Line) GID() (uint32, bool) {
	switch l.Type {
	case "g":
		n, err := number(l.ID)
		return n, err == nil
	case "u", "u!":
		// With UID:GID the group is one that is there, of whatever name.
		n, err := number(l.ID)
		return n, err == nil
	}
	return 0, false
}

// ParseSysusers reads the lines of a sysusers.d(5) file. What cannot be read is
// returned apart, each with its number and a reason.
func ParseSysusers(text string) (lines []Line, faults []Fault) {
	n := 0
	for raw := range strings.Lines(text) {
		n++
		trimmed := strings.TrimSpace(raw)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue
		}
		fields, err := words(trimmed)
		if err != nil {
			faults = append(faults, Fault{n, err.Error()})
			continue
		}
		if len(fields) < 2 {
			faults = append(faults, Fault{n, "there is no name"})
			continue
		}
		l := Line{Text: trimmed, Type: fields[0], Name: fields[1]}
		if len(fields) > 2 {
			l.ID, l.Rest = fields[2], fields[3:]
		}
		if l.ID == "-" {
			l.ID = ""
		}
		lines = append(lines, l)
	}
	return lines, faults
}

// Fault is a line that cannot be read.
type Fault struct {
	Number int
	Reason string
}

// words divides a line as systemd does: at blanks, with quotes of both kinds
// and backslashes.
func words(s string) ([]string, error) {
	var out []string
	var b strings.Builder
	var quote rune
	inside, escaped := false, false
	for _, r := range s {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			inside, escaped = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				b.WriteRune(r)
			}
		case r == '"' || r == '\'':
			inside, quote = true, r
		case r == ' ' || r == '\t':
			if inside {
				out = append(out, b.String())
				b.Reset()
				inside = false
			}
		default:
			inside = true
			b.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("a quote or an escape is not closed")
	}
	if inside {
		out = append(out, b.String())
	}
	return out, nil
}

// Sysusers returns the lines of sysusers.d(5) that make exactly these accounts,
// with these numbers: groups, then users, then memberships.
func Sysusers(users []User, groups []Group) []string {
	var lines []string
	for _, g := range groups {
		lines = append(lines, "g "+g.Name+" "+strconv.FormatUint(uint64(g.GID), 10))
	}
	for _, u := range users {
		lines = append(lines, fmt.Sprintf("u %s %d:%d %s %s %s", u.Name, u.UID, u.GID, field(u.GECOS), field(u.Home), field(u.Shell)))
	}
	for _, m := range Memberships(users, groups) {
		lines = append(lines, "m "+m[0]+" "+m[1])
	}
	return lines
}

// field writes a field so that systemd reads the same text again: "-" for an
// empty one, quoted where it has to be, and without specifiers.
func field(s string) string {
	if s == "" {
		return "-"
	}
	s = strings.ReplaceAll(s, "%", "%%")
	if s != "-" && !strings.ContainsAny(s, " \t\"'\\") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
