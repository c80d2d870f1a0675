package config

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/account"
)

// passwords are fields that people try, and that there are none of on purpose.
var passwords = []string{"password", "passwd", "hashed_password", "plaintext_password", "password_hash"}

// users reads the accounts of a flavour.
func (l *loader) users(s *scope, attr *hcl.Attribute) []User {
	entries, _ := l.fields(s, attr)
	users := []User{}
	for _, e := range entries {
		if problem := accountNameProblem(e.Name); problem != "" {
			l.say(Fault(e.NameRange, "Invalid user", "%q %s", e.Name, problem))
			continue
		}
		if !l.isMapping(s, e) {
			if v := l.valueOf(s, e); v.IsKnown() && !v.IsNull() {
				l.say(wrongType(e.Expr.Range(), e.Name, "a mapping, which may be empty", v))
			}
			continue
		}
		if u, ok := l.user(s, e); ok {
			users = append(users, u)
		}
	}
	return users
}

// withoutPasswords leaves out fields for passwords, which it reports.
func (l *loader) withoutPasswords(s *scope, e *hcl.Attribute) (*hcl.Attribute, bool) {
	entries, _ := l.fields(s, e)
	for _, f := range entries {
		if slices.Contains(passwords, f.Name) {
			l.say(Fault(f.NameRange, "Password in the system", "An account of a flavour has no password: everyone who gets the commit could read it, or its hash. Write ssh_keys for the login and %s for the rights of an administrator; a password is set on the machine, by passwd(1).", InSyntax(f.NameRange, "sudo", "true")))
			return nil, false
		}
	}
	return e, true
}

func (l *loader) user(s *scope, e *hcl.Attribute) (User, bool) {
	u := User{Name: e.Name, Range: e.NameRange}
	e, ok := l.withoutPasswords(s, e)
	if !ok {
		return u, false
	}
	before := len(l.diags)
	f, _ := object[userFields](l, s, e)
	u.Sudo, u.System = l.boolOf(s, f.Sudo), l.boolOf(s, f.System)
	u.UID = l.accountNumber(s, f.UID, "user", u.System)
	u.Shell, u.Home = "/bin/bash", "/home/"+u.Name
	if u.System {
		u.Shell, u.Home = "/usr/sbin/nologin", ""
	}
	if t := l.textOf(s, f.Gecos); t != nil {
		u.Gecos = t.value
		if strings.ContainsFunc(t.value, unicode.IsControl) || strings.ContainsAny(t.value, ":,=") {
			l.say(Fault(t.at, "Invalid name", "%q cannot be in the user's entry: there must be no colon, comma, equals sign or line end in it.", t.value))
		}
	}
	u.Shell = l.userPath(s, f.Shell, u.Shell)
	u.Home = l.home(s, f.Home, u.Home)
	for _, t := range l.once("Group", l.textsOf(s, f.Groups)) {
		if !groupName.MatchString(t.value) {
			l.say(Fault(t.at, "Invalid group", "%q cannot be the name of a group.", t.value))
			continue
		}
		u.Groups = append(u.Groups, Line{Text: t.value, Range: t.at})
	}
	keys := l.textsOf(s, f.SSHKeys)
	for _, t := range keys {
		if problem := sshKeyProblem(t.value); problem != "" {
			l.say(Fault(t.at, "Invalid ssh key", "Each of ssh_keys has to be %s", problem))
			continue
		}
		u.Keys = append(u.Keys, strings.TrimSpace(t.value))
	}
	switch {
	case u.Home == "" && len(keys) > 0:
		l.say(Fault(f.SSHKeys.NameRange, "Keys without effect", "User %q has no home, where its keys would be: set home.", u.Name))
	case len(keys) > 0 && (strings.HasSuffix(u.Shell, "/nologin") || strings.HasSuffix(u.Shell, "/false")):
		l.say(Fault(f.SSHKeys.NameRange, "Keys without effect", "User %q has the shell %s, with which nobody can log in: set shell.", u.Name, u.Shell))
	}
	return u, len(l.diags) == before
}

// userPath reads an absolute path of a user's entry.
func (l *loader) userPath(s *scope, attr stringAttr, fallback string) string {
	t := l.textOf(s, attr)
	if t == nil {
		return fallback
	}
	if problem := l.pathProblem(t.value); problem != "" || strings.Contains(t.value, ":") || t.value == "/" {
		l.say(Fault(t.at, "Invalid path", "%q is not a path that %s can be: it has to be absolute, as in %s.", t.value, attr.Name, path.Join("/", fallback)))
		return fallback
	}
	return t.value
}

// firstDynamic is the least number that packages do not take for granted: smaller ones
// are Debian's own. firstOrdinary is the least one of people.
const firstDynamic, firstOrdinary = 100, 1000

// accountNumber reads the number of a user or group; 0 if there is none.
func (l *loader) accountNumber(s *scope, attr intAttr, what string, system bool) uint32 {
	if attr == nil {
		return 0
	}
	n, diags := s.integer(attr)
	if l.say(diags...); n == nil {
		return 0
	}
	problem := ""
	switch {
	case *n <= 0 || *n > 1<<32-1 || !account.Assignable(uint32(*n)):
		problem = "0 is root, 65534 is nobody, 65535 and 4294967295 mean no account."
	case *n < firstDynamic:
		problem = fmt.Sprintf("numbers below %d are Debian's own.", firstDynamic)
	case system && *n >= firstOrdinary:
		problem = fmt.Sprintf("with %s, it has to be below %d.", InSyntax(attr.Range, "system", "true"), firstOrdinary)
	default:
		return uint32(*n)
	}
	l.say(Fault(attr.Expr.Range(), "Invalid number", "%d cannot be the number of a %s: %s", *n, what, problem))
	return 0
}

// groups reads the groups of a flavour: names, or a mapping of them.
func (l *loader) groups(s *scope, attr *hcl.Attribute) []Group {
	groups := []Group{}
	if !l.isMapping(s, attr) {
		for _, t := range l.once("Group", l.textsOf(s, attr)) {
			if problem := accountNameProblem(t.value); problem != "" {
				l.say(Fault(t.at, "Invalid group", "%q %s", t.value, problem))
				continue
			}
			groups = append(groups, Group{Name: t.value, Range: t.at})
		}
		return groups
	}
	entries, _ := l.fields(s, attr)
	for _, e := range entries {
		if problem := accountNameProblem(e.Name); problem != "" {
			l.say(Fault(e.NameRange, "Invalid group", "%q %s", e.Name, problem))
			continue
		}
		f, ok := object[groupFields](l, s, e)
		g := Group{Name: e.Name, System: l.boolOf(s, f.System), Range: e.NameRange}
		g.GID = l.accountNumber(s, f.GID, "group", g.System)
		if ok {
			groups = append(groups, g)
		}
	}
	return groups
}

var groupName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// accountNameProblem is what is wrong with the name of an account that a flavour
// makes, as the end of a sentence.
func accountNameProblem(name string) string {
	switch {
	case name == "root":
		return "is there already, and is not made by a flavour."
	case strings.HasPrefix(name, "systemd-"), slices.Contains(systemAccounts, name):
		return "is the name of an account or group that Debian has, or reserved for one."
	case !strings.HasPrefix(name, "_") && !userName.MatchString(name) || !groupName.MatchString(name):
		return "cannot be the name of an account: small letters, digits, _ and - can, beginning with a letter."
	case len(name) > longestUser:
		return fmt.Sprintf("is too long for the name of an account: it has %d characters, and %d are allowed.", len(name), longestUser)
	}
	return ""
}
