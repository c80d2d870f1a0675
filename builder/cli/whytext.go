package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/report"
)

func (o *whyOptions) file(ctx context.Context, c *command, path string) error {
	if !strings.HasPrefix(path, "/") {
		return usagef("file takes an absolute path, not %s; did you mean %s?", quoted(path), quoted(filepath.Join("/", path)))
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	layers, err := c.builder.Layers(ctx, s, c.remarks())
	if err != nil {
		return err
	}
	defer layers.Close()
	story, err := layers.Why(path)
	if err != nil {
		return err
	}
	if len(story.Changes) == 0 {
		return nowhere(layers, c.args[0], path, story.Missing)
	}
	if err := o.print(c, story, func() string { return fileText(story, c.width()) }); err != nil {
		return err
	}
	if story.Missing > 0 {
		fmt.Fprintln(c.Err, c.told(fmt.Sprintf("%s not in the cache; `./build %s%s --all-layers` makes what is missing", layersAre(story.Missing), c.elsewhere(), c.args[0])))
	}
	return nil
}

func fileText(s *build.FileStory, width int) string {
	var b strings.Builder
	t := table{head: []string{"CHANGE", "STEP", "MODE", "OWNER", "FROM"}, below: []string{"FROM", "OWNER"}}
	for _, ch := range s.Changes {
		from := ch.From
		switch {
		case ch.Package != nil:
			from = ch.Package.String()
		case ch.Directory != "":
			from = "with " + visible(ch.Directory)
		case from == "":
			from = ch.Title
		}
		mode, owner := ch.Mode, ch.Owner
		if mode == "" {
			mode, owner = "-", "-"
		}
		t.add(ch.What, ch.Step, mode, owner, visible(from))
	}
	_ = t.write(&b, width) // a builder takes all
	if s.Commit == "" {
		return b.String()
	}
	for _, path := range s.Paths {
		fmt.Fprintf(&b, "in commit %.12s: %s\n", s.Commit, visible(path))
	}
	for _, rule := range s.Rules {
		fmt.Fprintf(&b, "made on a machine by %s\n", visible(rule))
	}
	if len(s.Paths)+len(s.Rules) == 0 {
		b.WriteString(strings.TrimRight(fmt.Sprintf("not in commit %.12s: %s", s.Commit, s.Lost), ": ") + "\n")
	}
	if s.Older {
		b.WriteString("(the commit is that of the last finished build; the layers are those of a newer plan)\n")
	}
	return b.String()
}

func layersAre(n int) string {
	if n == 1 {
		return "1 layer is"
	}
	return fmt.Sprintf("%d layers are", n)
}

// nowhere is the error about a file that no layer has, of those that are not missing.
func nowhere(l *build.Layers, flavour, path string, missing int) error {
	asked := quoted(path)
	if file, machines := strings.CutPrefix(path, "/usr/etc/"); machines {
		return fmt.Errorf("no layer contains %s; in layers, files of /usr/etc are in /etc still: ask for %s", asked, quoted("/etc/"+file))
	}
	if near := l.Near(path); near != "" && near != filepath.Clean(path) {
		return fmt.Errorf("no layer contains %s; did you mean %s?", asked, quoted(near))
	}
	if missing > 0 {
		return diag.Suggest(fmt.Errorf("no layer contains %s, but %s not in the cache", asked, layersAre(missing)), flavour+" --all-layers", "makes what is missing")
	}
	return fmt.Errorf("no layer contains %s", asked)
}

// packageStory is why a package is there, for programs.
type packageStory struct {
	Name   string             `json:"name"`
	Uses   []build.PackageUse `json:"uses"`
	Offers []build.Chosen     `json:"offers"`
}

func (o *whyOptions) pkg(ctx context.Context, c *command, name string) error {
	p, err := c.prepare(ctx, c.args[0], c.remarks())
	if err != nil {
		return err
	}
	defer p.Close()
	uses, offers, err := p.WhyPackage(ctx, name)
	if err != nil {
		return err
	}
	story := packageStory{name, orNone(uses), []build.Chosen{}}
	for _, a := range offers {
		story.Offers = append(story.Offers, build.Chosen{Package: a.Package, Source: a.Source, Suite: a.Suite})
	}
	if len(uses)+len(offers) > 0 {
		if err := o.print(c, story, func() string { return packageText(story, offers) }); err != nil {
			return err
		}
	}
	switch {
	case len(offers) == 0 && len(uses) == 0:
		return fmt.Errorf("no source has a package %s%s", name, nearPackage(p, name))
	case len(uses) == 0:
		return fmt.Errorf("no tree of the flavour has the package %s%s", name, nearPackage(p, name))
	}
	return nil
}

func packageText(s packageStory, offers []distro.Archived) string {
	var b strings.Builder
	for _, u := range s.Uses {
		b.WriteString(useText(u))
	}
	for _, a := range offers {
		fmt.Fprintf(&b, "%s has %s (%s)\n", sourceOf(a.Source, a.Suite), a.Version, a.Arch)
	}
	return b.String()
}

// nearPackage suggests a package of the flavour's trees, if one has nearly that name.
func nearPackage(p *build.Prepared, name string) string {
	if s := meant(name, p.PackageNames()); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}

// useText is where a package of a tree is from, and why it is there.
func useText(u build.PackageUse) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s (%s) from %s\n", u.Tree, u.Package.Name, u.Package.Version, u.Package.Arch, sourceOf(u.Package.Source, u.Package.Suite))
	if u.File != "" {
		fmt.Fprintf(&b, "  brought by %s as %s\n", u.Package.Source, u.File)
	}
	for _, place := range u.Wanted {
		fmt.Fprintf(&b, "  wanted at %s\n", place)
	}
	if u.Bootstrapped {
		b.WriteString("  in every system, before a feature asks for any package\n")
	}
	if len(u.Chain) > 0 {
		b.WriteString("  " + chainText(u) + "\n")
	}
	if len(u.NeededBy) > 0 {
		b.WriteString("  " + strings.Join(wrap("needed by "+strings.Join(u.NeededBy, ", "), showWidth-4), "\n    ") + "\n")
	}
	return b.String()
}

// chainText is how a package comes from one that is asked for.
func chainText(u build.PackageUse) string {
	text := u.Chain[0].Name
	if place := u.Chain[0].Place; place != "" {
		text += " (wanted at " + place + ")"
	}
	for i, link := range u.Chain {
		next := u.Package.Name
		if i+1 < len(u.Chain) {
			next = u.Chain[i+1].Name
		}
		if link.Recommends {
			text += " recommends " + next
		} else {
			text += " needs " + next
		}
		if i+1 < len(u.Chain) {
			text += ", which"
		}
	}
	return strings.Join(wrap(text, showWidth-4), "\n    ")
}

// sourceOf names the source of a package with its suite.
func sourceOf(source, suite string) string {
	if suite == "" || suite == source {
		return source
	}
	return source + " (" + suite + ")"
}

func (o *whyOptions) size(ctx context.Context, c *command, _ string) error {
	p, err := c.prepare(ctx, c.args[0], c.remarks())
	if err != nil {
		return err
	}
	defer p.Close()
	story, err := p.WhySize()
	if err != nil {
		return err
	}
	return o.print(c, story, func() string { return sizeText(story, o.top) })
}

func sizeText(s *build.SizeStory, top int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The tree of the system has %s before it becomes a commit.\n", event.FormatBytes(s.Bytes))
	for _, part := range []struct {
		title string
		items []report.Item
	}{{"By feature", s.Features}, {"By package", s.Packages}, {"By directory", s.Directories}} {
		fmt.Fprintf(&b, "\n%s\n%s", part.title, itemRows(topItems(part.items, top, s.Bytes), s.Bytes))
	}
	return b.String()
}

// topItems are the first items of a list that adds up to total, and the others as one.
func topItems(items []report.Item, top int, total int64) []report.Item {
	if len(items) <= top {
		return items
	}
	first := slices.Clone(items[:top])
	for _, item := range first {
		total -= item.Bytes
	}
	return append(first, report.Item{Name: fmt.Sprintf("%d more", len(items)-top), Bytes: total})
}

// itemRows are items, a line each, with their shares of total.
func itemRows(items []report.Item, total int64) string {
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, "  %10s %5.1f %%  %s\n", event.FormatBytes(item.Bytes), 100*float64(item.Bytes)/float64(max(total, 1)), visible(item.Name))
	}
	return b.String()
}
