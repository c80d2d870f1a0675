package build

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/config"
)

// shownContent is what a flavour brings itself, in the order of its fields.
func shownContent(c *config.Content) []ShownContent {
	all := []ShownContent{}
	lines := func(kind string, lines ...config.Line) {
		for _, l := range lines {
			if l.Text != "" {
				all = append(all, ShownContent{Kind: kind, Name: l.Text, Place: placeOf(l.Range)})
			}
		}
	}
	lines("exclude_packages", c.ExcludePackages...)
	lines("exclude_files", c.ExcludeFiles...)
	lines("kernel_args", c.KernelArgs...)
	for _, u := range c.Units {
		all = append(all, ShownContent{"units", u.Name, u.Verb, placeOf(u.Range)})
	}
	for _, u := range c.Users {
		all = append(all, ShownContent{"users", u.Name, aboutUser(u), placeOf(u.Range)})
	}
	for _, g := range c.Groups {
		about := ""
		if g.GID != 0 {
			about = fmt.Sprintf("gid %d", g.GID)
		}
		all = append(all, ShownContent{"groups", g.Name, about, placeOf(g.Range)})
	}
	lines("timezone", c.Timezone)
	lines("locale", c.Locale)
	lines("keymap", c.Keymap)
	for _, s := range c.Sysctl {
		all = append(all, ShownContent{"sysctl", s.Name, s.Value, placeOf(s.Range)})
	}
	return all
}

// aboutUser is what matters of an account, in words.
func aboutUser(u config.User) string {
	var words []string
	if u.System {
		words = append(words, "system")
	}
	if u.UID != 0 {
		words = append(words, fmt.Sprintf("uid %d", u.UID))
	}
	for _, g := range u.Groups {
		words = append(words, "in "+g.Text)
	}
	switch n := len(u.Keys); n {
	case 0:
	case 1:
		words = append(words, "1 ssh key")
	default:
		words = append(words, fmt.Sprintf("%d ssh keys", n))
	}
	if u.Sudo {
		words = append(words, "sudo")
	}
	return strings.Join(words, ", ")
}
