package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/download"
)

// unknownPackage is the fault of asking for a package that the archive does not
// have, or not in that version, and says what there is in its place.
func unknownPackage(src debian.Source, ix *debian.Index, w compose.Want) *hcl.Diagnostic {
	name, _, _ := strings.Cut(w.Name, ":")
	detail := fmt.Sprintf("%s %s has no package %q.%s", src.Mirror, src.Suite, w.Name, successorHint(ix, name))
	if vs := ix.Versions(name); len(vs) > 0 {
		detail = fmt.Sprintf("%s %s has %s in version %s, not %s.", src.Mirror, src.Suite, w.Name, strings.Join(vs, ", "), w.Version)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown package", Detail: detail, Subject: w.Range.Ptr()}
}

// successorHint is the end of a message on a package that is not there: what
// took its place, or was probably meant, or nothing.
func successorHint(ix *debian.Index, name string) string {
	next := ix.Successor(name)
	quotedNames := make([]string, len(next.Names))
	for i, n := range next.Names {
		quotedNames[i] = fmt.Sprintf("%q", n)
	}
	switch {
	case next.Replaces && len(next.Names) == 1:
		return fmt.Sprintf(" It is replaced by %s there.", quotedNames[0])
	case next.Replaces:
		return fmt.Sprintf(" It is replaced there by one of %s.", strings.Join(quotedNames, ", "))
	case len(next.Names) > 0:
		return fmt.Sprintf(" Its successor there is %s.", quotedNames[0])
	}
	known := ix.Names()
	slices.Sort(known)
	if meant := config.SuggestTypo(name, known); meant != "" {
		return fmt.Sprintf(" Did you mean %q?", meant)
	}
	return " Nothing there is known to take its place: if the system does without it, take it off the list."
}

// packageFault says why apt would not install a package, or nil.
func packageFault(src debian.Source, ix *debian.Index, w compose.Want) *hcl.Diagnostic {
	name, _, _ := strings.Cut(w.Name, ":")
	if !ix.Has(name) || w.Version != "" && !slices.Contains(ix.Versions(name), w.Version) {
		return unknownPackage(src, ix, w)
	}
	if by := ix.Providers(name); len(by) > 1 {
		detail := fmt.Sprintf("%q is no package itself in %s %s, and apt installs none of those that provide it unless it is told which: %s.",
			name, src.Mirror, src.Suite, strings.Join(by, ", "))
		return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Package of several providers", Detail: detail, Subject: w.Range.Ptr()}
	}
	return nil
}

// checkPackages asks the tree's archive, as a build for an architecture would,
// for the packages that features want. An archive that cannot be asked is a
// warning; the error is one of the command line.
func (c *command) checkPackages(ctx context.Context, arch string, wants []compose.Want) (hcl.Diagnostics, error) {
	says, suite, err := c.archiveOfTree(ctx)
	var usage *diag.Request
	if errors.As(err, &usage) {
		return nil, err
	}
	if err != nil {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Tree that does not say what it is built from",
			Detail: fmt.Sprintf("Nothing can be built from it, and its packages have not been looked for: %s.", firstWords(err))}}, nil
	}
	if says == nil {
		return nil, nil
	}
	src := debian.Source{Mirror: says.mirror, Suite: suite, Arch: arch, Components: []string{"main"}, Keyring: says.keyring}
	index, err := c.packageIndex(ctx, src)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return hcl.Diagnostics{notChecked(src, c.options.dir, err)}, nil
	}
	var diags hcl.Diagnostics
	for _, w := range wants {
		if d := packageFault(src, index, w); d != nil {
			diags = append(diags, d)
		}
	}
	return diags, nil
}

// archiveOfTree finds out which archive and suite a tree is built from: nil if
// only programs that are not to be run know.
func (c *command) archiveOfTree(ctx context.Context) (*treeSettings, string, error) {
	suite := c.options.features.Version
	if c.options.noRun {
		unknown := func(script, option string) bool { return option == "" && exists(filepath.Join(c.options.dir, script)) }
		if unknown("get_repo", c.options.mirror) || unknown("get_version", suite) {
			fmt.Fprintln(c.Err, "treewright: nobody has looked whether the packages exist, as only the tree's programs know in which archive: --mirror and --version say so in their place")
			return nil, "", nil
		}
	}
	says, err := c.treeSays(ctx)
	if err == nil && suite == "" {
		suite, err = says.version(ctx)
	}
	return says, suite, err
}

func (c *command) packageIndex(ctx context.Context, src debian.Source) (*debian.Index, error) {
	if err := c.hideFolders(c.options.cache); err != nil {
		return nil, err
	}
	policy, err := debian.HostPolicy(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := cache.Open(c.options.cache)
	if err != nil {
		return nil, err
	}
	done, err := kept.Planning(ctx, func() {})
	if err != nil {
		return nil, err
	}
	defer done()
	archive, err := debian.OpenArchive(ctx, c.options.cache, src, policy, c.options.offline, policy.Client(download.Once, func(string) {}))
	if err != nil {
		return nil, err
	}
	return archive.Index(ctx)
}

func notChecked(src debian.Source, dir string, err error) *hcl.Diagnostic {
	hint := "Repeat it with a network, or after a build with --offline."
	switch {
	case errors.Is(err, fs.ErrPermission):
		hint = "Let --cache name a folder that can be written."
	case src.Mirror != defaultMirror:
		hint = fmt.Sprintf("They can be looked for in Debian's instead: ./build check -C %s --mirror %s --version %s", dir, defaultMirror, defaultVersion)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Packages not checked",
		Detail: fmt.Sprintf("Nobody has looked whether the packages exist, as the archive %s (%s) cannot be asked: %s. %s", src.Mirror, src.Suite, firstWords(err), hint)}
}

// firstWords is an error within a sentence: apt's take many lines.
func firstWords(err error) string {
	const most = 300
	text := strings.TrimRight(strings.Join(strings.Fields(oneLine(err)), " "), ".")
	if len(text) > most {
		text = text[:strings.LastIndexByte(text[:most], ' ')] + " ..."
	}
	return text
}
