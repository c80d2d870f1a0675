package difference

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
)

// Look is how much of a difference is written.
type Look struct {
	// Files lists all files; without, they are counted by cause.
	Files bool
	// Width is how wide lines are made, if their words allow it; 0 for no limit.
	Width int
}

// mostText is how many lines of changelog are written of one package.
const mostText = 40

// Text is the difference for people at a terminal. What repositories contain is written so
// that it does nothing there.
func (d *Difference) Text(l Look) string {
	w := &writer{width: l.Width}
	w.line("%s -> %s", named(d.Before), named(d.After))
	if d.Same {
		w.line("Nothing differs.")
	}
	d.textPackages(w)
	for _, p := range d.system() {
		w.part(p)
	}
	d.textFiles(w, l)
	w.part(part{"Sizes", d.sizeLines()})
	w.part(part{"Not compared", d.Notes})
	return w.b.String()
}

// named is a side with its commit and version.
func named(s Side) string {
	name := s.Name
	if s.Commit != "" && !strings.HasPrefix(s.Commit, name) {
		name += fmt.Sprintf(" (%.12s", s.Commit)
		if s.Version != "" {
			name += ", version " + s.Version
		}
		name += ")"
	}
	return name
}

// writer writes lines of text.
type writer struct {
	b     strings.Builder
	width int
}

func (w *writer) line(format string, args ...any) { w.item("", format, args...) }

func (w *writer) head(title string) { w.b.WriteString("\n" + title + "\n") }

// part writes a part, if it has lines.
func (w *writer) part(p part) {
	if len(p.lines) > 0 {
		w.head(p.title)
	}
	for _, line := range p.lines {
		w.item("  ", "%s", line)
	}
}

// item writes a line with an indent, wrapped at blanks.
func (w *writer) item(indent, format string, args ...any) {
	text := diag.Visible(fmt.Sprintf(format, args...))
	next := indent
	for {
		cut := cutAt(text, w.width-utf8.RuneCountInString(next))
		w.b.WriteString(next + strings.TrimRight(text[:cut], " ") + "\n")
		if text = strings.TrimLeft(text[cut:], " "); text == "" {
			return
		}
		next = indent + "    "
	}
}

// cutAt is where a text is cut to be at most width wide: at a blank, if there is one.
func cutAt(text string, width int) int {
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return len(text)
	}
	n, last := 0, 0
	for i, r := range text {
		if r == ' ' && i > 0 && strings.TrimLeft(text[:i], " ") != "" {
			if last = i; n > width {
				break
			}
		}
		if n++; n > width && last > 0 {
			return last
		}
	}
	if last > 0 {
		return last
	}
	return len(text)
}

// versions are the versions of a package, as both sides have them.
func (p *Package) versions() string {
	switch p.What {
	case "added":
		return p.After
	case "removed":
		return p.Before
	}
	return p.Before + " -> " + p.After
}

func (d *Difference) textPackages(w *writer) {
	what := ""
	for i := range d.Packages {
		p := &d.Packages[i]
		if p.What != what {
			what = p.What
			w.head(fmt.Sprintf("Packages %s: %d", what, countPackages(d.Packages, what)))
		}
		w.item("  ", "%s %s", p.Name, p.versions())
		if len(p.CVEs) > 0 {
			w.item("      ", "%s", strings.Join(p.CVEs, " "))
		}
		if remark := p.remark(); remark != "" {
			w.item("      ", "(%s)", remark)
		}
		lines := p.changes()
		for _, line := range lines[:min(mostText, len(lines))] {
			w.item("      ", "%s", line)
		}
		if more := len(lines) - mostText; more > 0 {
			w.item("      ", "(%d more lines; --format json has all)", more)
		}
	}
}

// remark is why a package has no changelog of its own; "" if it has one.
func (p *Package) remark() string {
	if p.SameAs != "" {
		return "the same changes as " + p.SameAs
	}
	return p.NoChangelog
}

// changes are the lines of the changelog's entries.
func (p *Package) changes() []string {
	var lines []string
	for _, e := range p.Changelog {
		head := e.Version
		if e.Urgency != "" {
			head += ", urgency " + e.Urgency
		}
		if e.Date != "" {
			head += ", " + e.Date
		}
		lines = append(lines, head)
		for line := range strings.SplitSeq(e.Text, "\n") {
			if strings.TrimSpace(line) != "" {
				lines = append(lines, strings.TrimRight(line, " "))
			}
		}
	}
	return lines
}

func countPackages(packages []Package, what string) int {
	n := 0
	for _, p := range packages {
		if p.What == what {
			n++
		}
	}
	return n
}

// part is a part of a difference, as lines.
type part struct {
	title string
	lines []string
}

// system are the parts that are the same in text and Markdown.
func (d *Difference) system() []part {
	var units, accounts, rights []string
	for _, u := range d.Units {
		line := u.Name + " " + u.What
		if u.User {
			line = u.Name + " (of users) " + u.What
		}
		if len(u.By) > 0 {
			line += " by " + strings.Join(u.By, ", ")
		}
		units = append(units, line)
	}
	for _, a := range d.Accounts {
		number := fmt.Sprint(a.After)
		switch a.What {
		case "removed":
			number = fmt.Sprint(a.Before)
		case "renumbered":
			number = fmt.Sprintf("%d -> %d", a.Before, a.After)
		}
		accounts = append(accounts, fmt.Sprintf("%s %s %s: %s", a.Kind, a.Name, a.What, number))
	}
	for _, p := range d.Privileged {
		switch {
		case p.Before == "":
			rights = append(rights, p.Path+": "+p.After)
		case p.After == "":
			rights = append(rights, p.Path+": no longer "+p.Before)
		default:
			rights = append(rights, p.Path+": "+p.Before+" -> "+p.After)
		}
	}
	return []part{
		{"Units", units}, {"Users and groups", accounts}, {"Files with rights of their own", rights}, {"Sockets", signed(d.Sockets)}, {"Kernel arguments", signed(d.KernelArgs)},
	}
}

// signed are the entries of a list with "+" or "-" in front.
func signed(l List) []string {
	return append(prefixed("+ ", l.Added), prefixed("- ", l.Removed)...)
}

func (d *Difference) textFiles(w *writer, l Look) {
	if len(d.Causes) > 0 {
		w.head("Files, by what they are from")
		for _, c := range d.Causes {
			w.item("  ", "%s: %s", c.Name, c.counts())
		}
	}
	if !l.Files {
		return
	}
	if len(d.Files) > 0 {
		w.head("All files and directories")
	}
	for _, f := range d.Files {
		w.item("  ", "%s %s%s", f.mark(), f.shown(), f.about())
	}
}

// counts are the numbers of files of a cause, in words.
func (c *Cause) counts() string {
	var words []string
	for _, n := range []struct {
		n    int
		what string
	}{{c.Added, "added"}, {c.Removed, "removed"}, {c.Changed, "changed"}} {
		if n.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	return strings.Join(words, ", ") + " (" + grown(c.Grown) + ")"
}

func grown(n int64) string {
	if n < 0 {
		return "-" + event.FormatBytes(-n)
	}
	return "+" + event.FormatBytes(n)
}

func (f *File) mark() string {
	switch f.What {
	case "added":
		return "+"
	case "removed":
		return "-"
	}
	return "!"
}

func (f *File) shown() string {
	if f.Dir && f.Path != "/" {
		return f.Path + "/"
	}
	return f.Path
}

// about is what is known of a changed file beside its path.
func (f *File) about() string {
	if len(f.Details) == 0 {
		return ""
	}
	return ": " + strings.Join(f.Details, ", ")
}

// sizeLines are the size of the tree and of what a machine downloads.
func (d *Difference) sizeLines() []string {
	var lines []string
	if s := d.Size; s != nil {
		line := "tree: " + grown(s.Grown)
		if s.Before+s.After > 0 {
			line = fmt.Sprintf("tree: %s -> %s (%s)", event.FormatBytes(s.Before), event.FormatBytes(s.After), grown(s.Grown))
		}
		lines = append(lines, line)
	}
	if n := d.Download; n != nil {
		line := fmt.Sprintf("download: %s in %s", event.FormatBytes(n.Bytes), diag.Counted(n.Objects, "object"))
		if n.Delta > 0 {
			line += fmt.Sprintf("; %s by static delta", event.FormatBytes(n.Delta))
		}
		lines = append(lines, line)
	}
	return lines
}
