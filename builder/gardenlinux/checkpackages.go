package gardenlinux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/rules"
)

// packageFault explains why apt would not install a package, or nil.
func packageFault(src distro.Source, ix distro.Index, w compose.Want) *hcl.Diagnostic {
	name, _, _ := strings.Cut(w.Name, ":")
	if !ix.Has(name) || w.Version != "" && !slices.Contains(ix.Versions(name), w.Version) {
		return rules.UnknownPackage(&distro.UnknownError{Sources: []distro.Source{src}, Index: ix}, w, w.Range)
	}
	if by := ix.Providers(name); len(by) > 1 {
		detail := fmt.Sprintf("%q is not a real package in %s. Several packages provide it, and apt does not choose one. Name one of them: %s.",
			name, src, strings.Join(by, ", "))
		return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Virtual package", Detail: detail, Subject: w.Range.Ptr()}
	}
	return nil
}

// checkPackages asks the tree's archive, as a build for an architecture would,
// for the packages that features want. An archive that cannot be asked is a
// warning; the error is one of the command line.
func (r *Rules) checkPackages(ctx context.Context, m rules.Means, arch string, wants []compose.Want) (hcl.Diagnostics, error) {
	says, suite, err := r.archiveOfTree(ctx)
	var usage *diag.Request
	if errors.As(err, &usage) {
		return nil, err
	}
	if err != nil {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unknown package archive",
			Detail: fmt.Sprintf("Nothing can be built from the tree, and its packages were not checked: %s.", firstWords(err))}}, nil
	}
	if says == nil {
		return nil, nil
	}
	src := distro.Source{Name: distro.MainSource, URL: says.mirror, Suite: suite, Components: []string{"main"}, Keyring: says.keyring}
	index, err := m.Index(ctx, family, arch, src)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return hcl.Diagnostics{notChecked(src, r.Dir, err)}, nil
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
func (r *Rules) archiveOfTree(ctx context.Context) (*treeSettings, string, error) {
	suite := r.Version
	if r.NoRun {
		unknown := func(script, option string) bool { return option == "" && exists(filepath.Join(r.Dir, script)) }
		if unknown("get_repo", r.Mirror) || unknown("get_version", suite) {
			r.Say("the packages were not checked, because only the tree's programs know the package archive: give --mirror and --version instead")
			return nil, "", nil
		}
	}
	says, err := r.treeSays(ctx)
	if err == nil && suite == "" {
		suite, err = says.version(ctx)
	}
	return says, suite, err
}

func notChecked(src distro.Source, dir string, err error) *hcl.Diagnostic {
	hint := "Repeat it with a network, or after a build with --offline."
	switch {
	case errors.Is(err, fs.ErrPermission):
		hint = "Let --cache name a directory that can be written."
	case src.URL != defaultMirror:
		hint = fmt.Sprintf("To check against Debian's package archive instead: ./build check -C %s --mirror %s --version %s", dir, defaultMirror, defaultVersion)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Packages not checked",
		Detail: fmt.Sprintf("It was not checked whether the packages exist, because the package archive %s (%s) cannot be read: %s. %s", src.URL, src.Suite, firstWords(err), hint)}
}

// firstWords is an error within a sentence: apt's take many lines.
func firstWords(err error) string {
	const most = 300
	words := oneLine(err)
	// A tree has one source, which it does not name.
	if fault := (*distro.SourceError)(nil); errors.As(err, &fault) && fault.Detail != "" {
		words = strings.ToLower(fault.Detail[:1]) + fault.Detail[1:]
	}
	text := strings.TrimRight(strings.Join(strings.Fields(words), " "), ".")
	if len(text) > most {
		text = text[:strings.LastIndexByte(text[:most], ' ')] + " ..."
	}
	return text
}
