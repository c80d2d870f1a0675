package difference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
)

// mostRows is how many rows a table of Markdown has: comments on merge requests have a
// limit.
const mostRows = 200

// Markdown is the difference as a comment on a merge request. What repositories contain is
// written as code, so that it is neither markup nor a mention of a person.
func (d *Difference) Markdown(l Look) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s → %s\n", code(named(d.Before)), code(named(d.After)))
	if d.Same {
		b.WriteString("\nNothing differs.\n")
	}
	for _, line := range d.sizeLines() {
		fmt.Fprintf(&b, "\n- %s", line)
	}
	if d.Size != nil || d.Download != nil {
		b.WriteString("\n")
	}
	if len(d.CVEs) > 0 {
		fmt.Fprintf(&b, "\n**Mentioned in changelogs:** %s\n", strings.Join(d.CVEs, ", "))
	}
	d.markdownPackages(&b)
	for _, p := range d.system() {
		p.markdown(&b)
	}
	d.markdownFiles(&b, l)
	part{"Not compared", d.Notes}.markdown(&b)
	return b.String()
}

// markdown writes a part, if it has lines.
func (p part) markdown(b *strings.Builder) {
	if len(p.lines) > 0 {
		fmt.Fprintf(b, "\n#### %s\n\n", p.title)
	}
	for _, line := range p.lines {
		fmt.Fprintf(b, "- %s\n", code(line))
	}
}

func (d *Difference) markdownPackages(b *strings.Builder) {
	if len(d.Packages) == 0 {
		return
	}
	b.WriteString("\n#### Packages\n\n| package | | before | after | |\n|---|---|---|---|---|\n")
	for i, p := range d.Packages {
		if i == mostRows {
			fmt.Fprintf(b, "| %d more | | | | |\n", len(d.Packages)-i)
			break
		}
		about := p.CVEs
		if remark := p.remark(); remark != "" {
			about = append(slices.Clone(about), code(remark))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", code(p.Name), p.What, code(p.Before), code(p.After), strings.Join(about, ", "))
	}
	some := false
	for i := range d.Packages {
		p := &d.Packages[i]
		lines := p.changes()
		if len(lines) == 0 {
			continue
		}
		if !some {
			b.WriteString("\n<details><summary>Changelogs</summary>\n")
			some = true
		}
		fmt.Fprintf(b, "\n%s %s\n\n", code(p.Name), code(p.versions()))
		for j, line := range lines {
			if j == mostText {
				fmt.Fprintf(b, "    (%d more lines)\n", len(lines)-j)
				break
			}
			// Four blanks in front make it code, in which nothing is markup.
			fmt.Fprintf(b, "    %s\n", diag.Visible(line))
		}
	}
	if some {
		b.WriteString("\n</details>\n")
	}
}

func (d *Difference) markdownFiles(b *strings.Builder, l Look) {
	if len(d.Causes) == 0 {
		return
	}
	b.WriteString("\n#### Files\n\n| from | |\n|---|---|\n")
	for i, c := range d.Causes {
		if i == mostRows {
			fmt.Fprintf(b, "| %d more | |\n", len(d.Causes)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s |\n", code(c.Name), c.counts())
	}
	if !l.Files || len(d.Files) == 0 {
		return
	}
	b.WriteString("\n<details><summary>All files and directories</summary>\n\n")
	for _, f := range d.Files {
		fmt.Fprintf(b, "    %s\n", diag.Visible(f.mark()+" "+f.shown()+f.about()))
	}
	b.WriteString("\n</details>\n")
}

// code is a text as code in a line of Markdown, also in a table: as HTML, because no number of
// backticks is safe in a table. What is not a letter, a digit or one of a few signs is
// written as a number, so that nothing in it is markup or becomes a link. "" stays "".
func code(text string) string {
	if text == "" {
		return ""
	}
	const plain = " ,./=-"
	var b strings.Builder
	for _, r := range diag.Visible(text) {
		if strings.ContainsRune(plain, r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return "<code>" + b.String() + "</code>"
}
