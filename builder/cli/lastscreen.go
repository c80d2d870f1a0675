package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
)

// lastScreen describes what was made, where, and what to do with it.
func (c *command) lastScreen(made *build.Made, took time.Duration) {
	w, m, out := c.Out, made.Manifest, made.Outcome
	headline := fmt.Sprintf("%s: %s run, %d reused, in %s", m.Flavour, diag.Counted(len(out.Ran), "step"), len(out.Results)-len(out.Ran), event.FormatDuration(took))
	fmt.Fprintf(w, "\n%s\n", c.emphasized(headline))
	artifact := func(name string) string { return c.relative(c.builder.Artifact(made.Subject, name)) }
	widest := 0
	for _, a := range m.Artifacts {
		widest = max(widest, len(artifact(a.Name)))
	}
	var artifacts pairs
	for _, a := range m.Artifacts {
		artifacts.add(fmt.Sprintf("%-*s  %8s", widest, artifact(a.Name), event.FormatBytes(a.Size)), a.Description)
	}
	fmt.Fprint(w, artifacts.text(c.width()))
	if m.Commit != "" {
		parent := "the first one"
		if m.Parent != "" {
			parent = "after " + m.Parent[:12]
		}
		var commit pairs
		commit.add("commit "+m.Commit[:12]+"  "+m.Ref, "version "+m.Version+", "+parent)
		fmt.Fprint(w, commit.text(c.width()))
	}
	fmt.Fprintf(w, "  %s\n", signedBy(made))
	if made.Lock != nil {
		fmt.Fprintf(w, "  from the lock %s: %s\n", made.Subject.LockFile, build.LockAge(made.Lock, time.Now()))
	}
	fmt.Fprintf(w, "  details, with hashes and logs: %s\n", c.relative(made.Output.Manifest()))
	fmt.Fprint(w, warnedOf(m))
	c.suggest(made, artifact)
}

// signedBy is who signed what was published, in words.
func signedBy(made *build.Made) string {
	switch {
	case made.Key.Fingerprint != "":
		return "signed by " + event.CleanLine(made.Key.String())
	case made.Keys() != nil:
		return "unsigned, but its machines take only what is signed: publish it with --sign-key KEY"
	}
	return "unsigned: machines cannot check who made it; see the block sign in docs/flavours.md"
}

// pairs are lines of two parts.
type pairs [][2]string

func (p *pairs) add(first, second string) { *p = append(*p, [2]string{first, second}) }

// text sets the second parts below the first ones if the lines are wider than the
// terminal; a width of 0 sets no limit.
func (p pairs) text(width int) string {
	widest := 0
	for _, pair := range p {
		widest = max(widest, utf8.RuneCountInString(pair[0]))
	}
	between := "  "
	for _, pair := range p {
		if width > 0 && widest+4+utf8.RuneCountInString(pair[1]) > width {
			widest, between = 0, "\n      "
			break
		}
	}
	var b strings.Builder
	for _, pair := range p {
		fmt.Fprintf(&b, "  %-*s%s%s\n", widest, pair[0], between, pair[1])
	}
	return b.String()
}

// warnedOf lists what all steps of a build warned of, those that were reused as
// well: it may have scrolled out of sight, or been said in another build.
func warnedOf(m *publish.Manifest) string {
	var lines []string
	for _, s := range m.Steps {
		for _, text := range s.Warnings {
			lines = append(lines, "  "+event.CleanLine(s.ID+": "+text)+"\n")
		}
	}
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return "\n1 warning:\n" + lines[0]
	}
	return fmt.Sprintf("\n%d warnings:\n%s", len(lines), strings.Join(lines, ""))
}

// relative is a path in the tree as seen from there.
func (c *command) relative(path string) string {
	if r, err := filepath.Rel(c.options.dir, path); err == nil && filepath.IsLocal(r) {
		return r
	}
	return path
}

// emphasized is a line in bold, where standard output has that.
func (c *command) emphasized(line string) string {
	if !event.Colours(c.Out.File) {
		return line
	}
	return "\x1b[1m" + line + "\x1b[0m"
}

// published are the artifacts of the last build of a subject, nil if one of them is not
// where it should be.
func (c *command) published(s *build.Subject) []publish.ManifestArtifact {
	m, err := publish.ReadManifest(c.builder.Output(s))
	if err != nil {
		return nil
	}
	for _, a := range m.Artifacts {
		if _, err := os.Stat(c.builder.Artifact(s, a.Name)); err != nil {
			return nil
		}
	}
	return append([]publish.ManifestArtifact{}, m.Artifacts...)
}

// same reports that a build left the artifacts as they were before.
func same(before, after []publish.ManifestArtifact) bool {
	return before != nil && slices.Equal(before, after)
}

// nothingToDo is the last screen of a build that changed nothing. What its steps warned
// of has been said already, a few lines above.
func (c *command) nothingToDo(made *build.Made, took time.Duration) {
	m := made.Manifest
	where := c.relative(made.Output.Manifest())
	if n := len(m.Artifacts); n > 0 {
		where = c.relative(filepath.Dir(c.builder.Artifact(made.Subject, m.Artifacts[0].Name))) + ": " + diag.Counted(n, "artifact")
	}
	if m.Commit != "" {
		where += ", commit " + m.Commit[:12]
		version := ", version " + m.Version
		if w := c.width(); w == 0 || len("  "+where+version) <= w {
			where += version
		}
	}
	if made.Key.Fingerprint != "" {
		where += ", signed"
	} else {
		where += ", unsigned"
	}
	if made.Lock != nil {
		where += "\n  from the lock " + made.Subject.LockFile + ": " + build.LockAge(made.Lock, time.Now())
	}
	fmt.Fprintf(c.Out, "%s\n  %s\n", c.emphasized(fmt.Sprintf("%s: nothing to do, %s reused, in %s", m.Flavour, diag.Counted(len(made.Outcome.Results), "result"), event.FormatDuration(took))), where)
}
