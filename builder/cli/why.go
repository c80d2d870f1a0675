package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
)

var whyVerb = &verb{
	name: "why", args: "FLAVOUR PATH|PACKAGE", summary: "explain which steps made a file, or why a package is there",
	example: "./build why debian-trixie-amd64-ostree /etc/hostname\n./build why debian-trixie-amd64-ostree openssh-server",
	details: `For a file, looks through the layers of the last build, the oldest first. PATH
is absolute within the tree, as packages and features see it (/etc/..., not
/usr/etc/...). For a package, shows which trees have it, from which source, who
asks for it, and what else the sources have.`,
	complete: "flavours, paths", flags: planFlags, run: runWhy,
}

func runWhy(ctx context.Context, c *command) error {
	if len(c.args) != 2 {
		return lists(usagef("why takes a flavour, and an absolute path or a package"))
	}
	if err := isWhat(c.args[0], c.args[1]); err != nil {
		return err
	}
	p, err := c.prepare(ctx, c.args[0], c.remarks())
	if err != nil {
		return err
	}
	if !strings.HasPrefix(c.args[1], "/") {
		return whyPackage(ctx, c, p, c.args[1])
	}
	changes, missing, err := p.Why(c.args[1])
	if err != nil {
		return err
	}
	for _, ch := range changes {
		fmt.Fprintf(c.Out, "%-10s %s  (%s)", ch.What, ch.Step, ch.Title)
		if ch.Place != "" {
			fmt.Fprintf(c.Out, "  %s", ch.Place)
		}
		if ch.Package.Name != "" {
			fmt.Fprintf(c.Out, "  %s %s from %s", ch.Package.Name, ch.Package.Version, sourceOf(ch.Package))
		}
		fmt.Fprintln(c.Out)
	}
	switch {
	case len(changes) == 0:
		return nowhere(p, c.args[0], c.args[1], missing)
	case missing > 0:
		fmt.Fprintln(c.Err, c.told(fmt.Sprintf("%s not in the cache; `./build %s%s` makes what is missing", layersAre(missing), c.elsewhere(), c.args[0])))
	}
	return nil
}

// inRoot are paths without the first slash.
var inRoot = regexp.MustCompile(`^\.?/?(bin|boot|etc|home|lib|opt|root|run|sbin|srv|usr|var)/`)

// isWhat reports what is wrong with the arguments of why, as far as they show it.
func isWhat(flavour, what string) error {
	if strings.HasPrefix(flavour, "/") && !strings.HasPrefix(what, "/") {
		return usagef("why takes the flavour first, and then the path %s", quoted(flavour))
	}
	w, ok := compose.ParseWant(what)
	if strings.HasPrefix(what, "/") || ok && w.Name == what {
		return nil
	}
	meant := ""
	lower, isName := compose.ParseWant(strings.ToLower(what))
	switch {
	case ok && !inRoot.MatchString(what): // with a version, or a suite
		meant = "; did you mean " + w.Name + "?"
	case strings.Contains(what, "/"):
		meant = "; did you mean " + quoted(filepath.Join("/", what)) + "?"
	case isName && lower.Name == strings.ToLower(what):
		meant = "; did you mean " + lower.Name + "?"
	}
	return usagef("why takes a flavour, and an absolute path or a package; %q is neither%s", what, meant)
}

// quoted is a path as it is typed into a shell, or with escapes if it would do something
// on a terminal.
func quoted(path string) string {
	if strings.ContainsFunc(path, unicode.IsControl) {
		return strconv.Quote(path)
	}
	return sandbox.Quote(path)
}

func layersAre(n int) string {
	if n == 1 {
		return "1 layer is"
	}
	return fmt.Sprintf("%d layers are", n)
}

// nowhere is the error about a file that no layer has, of those that are not missing.
func nowhere(p *build.Prepared, flavour, path string, missing int) error {
	said := quoted(path)
	if file, machines := strings.CutPrefix(path, "/usr/etc/"); machines {
		return fmt.Errorf("no layer contains %s; in layers, files of /usr/etc are in /etc still: ask for %s", said, quoted("/etc/"+file))
	}
	if near := p.Near(path); near != "" && near != filepath.Clean(path) {
		return fmt.Errorf("no layer contains %s; did you mean %s?", said, quoted(near))
	}
	if missing > 0 {
		return diag.Suggest(fmt.Errorf("no layer contains %s, but %s not in the cache", said, layersAre(missing)), flavour, "makes what is missing")
	}
	return fmt.Errorf("no layer contains %s", said)
}

// whyPackage says which trees have a package, and why.
func whyPackage(ctx context.Context, c *command, p *build.Prepared, name string) error {
	uses, offers, err := p.WhyPackage(ctx, name)
	if err != nil {
		return err
	}
	for _, u := range uses {
		fmt.Fprint(c.Out, useText(u))
	}
	for _, o := range offers {
		fmt.Fprintf(c.Out, "%s has %s (%s)\n", sourceOf(o), o.Version, o.Arch)
	}
	switch {
	case len(offers) == 0 && len(uses) == 0:
		return fmt.Errorf("no source has a package %s%s", name, nearPackage(p, name))
	case len(uses) == 0:
		return fmt.Errorf("no tree of the flavour has the package %s%s", name, nearPackage(p, name))
	}
	return nil
}

// nearPackage suggests a package of the flavour's trees, if one has nearly that name.
func nearPackage(p *build.Prepared, name string) string {
	if s := meant(name, p.PackageNames()); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}

// useText says where a package of a tree is from, and why it is there.
func useText(u build.PackageUse) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s (%s) from %s\n", u.Tree, u.Package.Name, u.Package.Version, u.Package.Arch, sourceOf(u.Package))
	if u.Local.File != "" {
		fmt.Fprintf(&b, "  brought by feature %s as %s\n", u.Local.Feature, u.Local.File)
	}
	for _, place := range u.Wanted {
		fmt.Fprintf(&b, "  wanted at %s\n", place)
	}
	if len(u.NeededBy) > 0 {
		fmt.Fprintf(&b, "  needed by %s\n", strings.Join(u.NeededBy, ", "))
	}
	return b.String()
}

// sourceOf names the source of a package with its suite.
func sourceOf(a distro.Archived) string {
	if a.Suite == "" || a.Suite == a.Source {
		return a.Source
	}
	return a.Source + " (" + a.Suite + ")"
}
