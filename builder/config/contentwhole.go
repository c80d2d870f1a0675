package config

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// checkBelow finds files that are to be below other files. files are sorted by path,
// and all that is copied below a directory is not known here.
func (l *loader) checkBelow(files []Generated) {
	plain := map[string]*Generated{}
	for i := range files {
		if f := &files[i]; f.Source == "" || l.isFile(f.Source) {
			plain[f.Path] = f
		}
	}
	for i := range files {
		f := &files[i]
		for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
			if above := plain[dir]; above != nil {
				l.say(Fault(f.Range, "File below a file", "%s cannot be there, because %s is a file (%s).", f.Path, above.Path, PlaceOf(above.Range)))
				break
			}
		}
	}
}

// isFile reports that a name, in which no link leads elsewhere, is not a directory's.
func (l *loader) isFile(name string) bool {
	info, err := fs.Lstat(l.fsys, name)
	return err == nil && !info.IsDir()
}

// checkAccounts finds accounts of a flavour that exclude each other, including
// inherited ones.
func (l *loader) checkAccounts(c *Content) {
	users, homes, numbers := map[string]bool{}, map[string]User{}, map[uint32]string{}
	taken := func(number uint32, what, name string, at hcl.Range) {
		before := numbers[number]
		switch {
		case number == 0:
		case before != "":
			l.say(Fault(at, "Number given twice", "%d is the number of %s.", number, before))
		default:
			numbers[number] = fmt.Sprintf("%s %q already, at %s", what, name, PlaceOf(at))
		}
	}
	for _, u := range c.Users {
		users[u.Name] = true
		taken(u.UID, "user", u.Name, u.Range)
		if first, used := homes[u.Home]; used && u.Home != "" {
			l.say(Fault(u.Range, "Home of two users", "%s is the home of user %q already (%s). A home belongs to one user, and nobody else can read it.", u.Home, first.Name, PlaceOf(first.Range)))
		}
		homes[u.Home] = u
		if i := slices.IndexFunc(u.Groups, func(g Line) bool { return g.Text == u.Name }); i >= 0 {
			l.say(Fault(u.Groups[i].Range, "Group of the user", "Each user is in the group of its own name: leave it out."))
		}
	}
	numbers = map[uint32]string{}
	for _, g := range c.Groups {
		taken(g.GID, "group", g.Name, g.Range)
		if users[g.Name] {
			l.say(Fault(g.Range, "Account named twice", "There is a user %q, and each user has a group of its own name.", g.Name))
		}
	}
}

// sharedDirectories are directories that many programs use, and that would belong to
// one user as a home.
var sharedDirectories = strings.Fields("/var/backups /var/cache /var/home /var/lib /var/local /var/log /var/mail /var/mnt /var/opt /var/roothome /var/spool /var/srv /var/tmp /var/usrlocal")

// home reads the home of a user. It is made for the user alone, with all that leads
// there, so it has to be where a machine keeps data.
func (l *loader) home(s *scope, attr stringAttr, fallback string) string {
	home := l.userPath(s, attr, fallback)
	if attr == nil || home == fallback {
		return home
	}
	reason := l.misplaced(home)
	top, below, _ := strings.Cut(strings.TrimPrefix(home, "/"), "/")
	switch {
	case reason != "":
	case below == "" || slices.Contains(sharedDirectories, home):
		reason = "It is there for others as well, and a home belongs to its user alone."
	case !slices.Contains([]string{"home", "var", "mnt"}, top):
		reason = "It is part of the commit, and cannot be written to on a machine."
	default:
		return home
	}
	l.say(Fault(attr.Expr.Range(), "Invalid home", "%s cannot be a home. %s Homes are below /home, those of services below /var/lib.", home, reason))
	return fallback
}
