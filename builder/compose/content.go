package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// helpers are the packages, by family, that parts of a flavour's content work with.
var helpers = map[string]map[string]string{
	"debian": {"timezone": "tzdata", "locale": "locales", "keymap": "console-setup", "sudo": "sudo"},
}

// Composed are the features whose parts the system's tree is composed of: those that
// were selected, then what the flavour brings itself, as a feature.
func (s *Spec) Composed() []*config.Feature {
	if s.brought == nil {
		return s.Features
	}
	return append(slices.Clone(s.Features), s.brought)
}

// ownContent makes a feature of what the flavour brings itself, if it brings anything.
func (s *Spec) ownContent(lists *PackageLists) hcl.Diagnostics {
	c := &s.Flavour.Content
	if c.Empty() && len(s.Flavour.Verity.Certificates) == 0 {
		return nil
	}
	s.brought = &config.Feature{Name: config.FlavourFeature, Type: config.Element, Range: s.Flavour.Range, Packages: slices.Clone(c.Packages), ExcludePackages: c.ExcludePackages, FileExclude: c.ExcludeFiles}
	for _, h := range s.wishes(c) {
		name := helpers[s.Flavour.Distribution.Family][h.Text]
		if !slices.ContainsFunc(s.brought.Packages, func(l config.Line) bool { return l.Text == name }) && name != "" {
			s.brought.Packages = append(s.brought.Packages, config.Line{Text: name, Range: h.Range})
		}
	}
	s.Generated[s.brought.Name] = append(slices.Clone(c.Files), s.madeFiles(c)...)
	for _, f := range s.Generated[s.brought.Name] {
		if f.Secret {
			s.brought.Secrets = append(s.brought.Secrets, config.Line{Text: f.Path, Range: f.Range})
		}
	}
	diags := lists.add(s.brought, nil, flavourVariables(s.Flavour))
	if !diags.HasErrors() {
		diags = append(diags, s.checkExcluded(lists)...)
	}
	return append(diags, s.checkContent(c)...)
}

// wishes are the parts of the content that need a package of [helpers].
func (s *Spec) wishes(c *config.Content) []config.Line {
	var out []config.Line
	if c.Timezone.Text != "" {
		out = append(out, config.Line{Text: "timezone", Range: c.Timezone.Range})
	}
	if language, _, _ := strings.Cut(c.Locale.Text, "."); language != "" && language != "C" && language != "POSIX" {
		out = append(out, config.Line{Text: "locale", Range: c.Locale.Range})
	}
	if c.Keymap.Text != "" {
		out = append(out, config.Line{Text: "keymap", Range: c.Keymap.Range})
	}
	for _, u := range c.Users {
		if u.Sudo {
			return append(out, config.Line{Text: "sudo", Range: u.Range})
		}
	}
	return out
}

// GroupsOf are the groups that a user of a flavour is a member of.
func GroupsOf(u *config.User) []config.Line {
	groups := slices.Clone(u.Groups)
	if u.Sudo && !slices.ContainsFunc(groups, func(l config.Line) bool { return l.Text == "sudo" }) {
		groups = append(groups, config.Line{Text: "sudo", Range: u.Range})
	}
	return groups
}

// madeFiles are the files in place of other parts of a flavour's content.
func (s *Spec) madeFiles(c *config.Content) []config.Generated {
	files := certificateFiles(s.Flavour.Verity)
	add := func(path, mode, owner, content string, at hcl.Range) {
		files = append(files, config.Generated{Path: path, Content: []byte(content), Mode: mode, Owner: owner, Group: owner, Range: at})
	}
	if c.Locale.Text != "" {
		add("/etc/locale.conf", "", "", "LANG="+c.Locale.Text+"\n", c.Locale.Range)
	}
	if c.Keymap.Text != "" {
		add("/etc/default/keyboard", "", "", keyboard(c.Keymap.Text), c.Keymap.Range)
	}
	if len(c.Sysctl) > 0 {
		text := "# From the flavour's sysctl.\n"
		for _, v := range c.Sysctl {
			text += v.Name + " = " + v.Value + "\n"
		}
		add("/usr/lib/sysctl.d/90-flavour.conf", "", "", text, c.Sysctl[0].Range)
	}
	for _, u := range c.Users {
		if u.Sudo {
			add("/etc/sudoers.d/"+u.Name, "0440", "", u.Name+" ALL=(ALL:ALL) NOPASSWD: ALL\n", u.Range)
		}
		if len(u.Keys) > 0 {
			add(u.Home+"/.ssh/authorized_keys", "0600", u.Name, strings.Join(u.Keys, "\n")+"\n", u.Range)
		}
	}
	return files
}

// keyboard is the file that says which layouts a keyboard has (keyboard(5)).
func keyboard(keymap string) string {
	var layouts, variants []string
	for part := range strings.SplitSeq(keymap, ",") {
		layout, variant, _ := strings.Cut(strings.TrimSuffix(part, ")"), "(")
		layouts, variants = append(layouts, layout), append(variants, variant)
	}
	return fmt.Sprintf("XKBMODEL=\"pc105\"\nXKBLAYOUT=%q\nXKBVARIANT=%q\nXKBOPTIONS=\"\"\nBACKSPACE=\"guess\"\n",
		strings.Join(layouts, ","), strings.Join(variants, ","))
}

// checkContent finds what would have no effect, and what is there twice.
func (s *Spec) checkContent(c *config.Content) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(c.KernelArgs) > 0 && s.StageFeature("image") == nil {
		diags = append(diags, fault("Setting without effect",
			fmt.Sprintf("Flavour %q has kernel_args, but no feature that makes a disk image, whose boot entry they would be in: add ostreeImage, or set them where machines are installed.", s.Flavour.Name), c.KernelArgs[0].Range))
	}
	made := s.madeFiles(c)
	if c.Timezone.Text != "" {
		// The link that settings make of it; it would take the place of the file.
		made = append(made, config.Generated{Path: "/etc/localtime", Range: c.Timezone.Range})
	}
	for _, made := range made {
		for _, f := range c.Files {
			switch {
			case f.Path == made.Path:
				diags = append(diags, fault("Two contents", fmt.Sprintf("%s is made of what the flavour says at %s: write it in one of the two places.", f.Path, place(made.Range)), f.Range))
			case strings.HasPrefix(f.Path, made.Path+"/"):
				diags = append(diags, fault("File below a file", fmt.Sprintf("%s cannot be there: %s is a file that is made of what the flavour says at %s.", f.Path, made.Path, place(made.Range)), f.Range))
			case f.Source == "" && strings.HasPrefix(made.Path, f.Path+"/"):
				diags = append(diags, fault("File below a file", fmt.Sprintf("%s cannot be a file: %s is made of what the flavour says at %s.", f.Path, made.Path, place(made.Range)), f.Range))
			}
		}
	}
	accounts := map[string]hcl.Range{}
	for _, g := range c.Groups {
		accounts[g.Name] = g.Range
	}
	for _, u := range c.Users {
		accounts[u.Name] = u.Range
	}
	for _, f := range s.Features {
		for _, p := range f.Parameters {
			v := s.Parameters[f.Name][p.Name]
			if at, there := accounts[v.String()]; there && p.Format == "user-name" {
				diags = append(diags, fault("Account named twice", fmt.Sprintf("User %q, with a group of that name, is made by feature %q already, as its parameter %q says at %s.", v.String(), f.Name, p.Name, place(v.Range)), at))
			}
		}
	}
	return diags
}
