package content

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"maps"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// accountsParams are the parameters of [AccountsAction].
type accountsParams struct {
	Groups []group `json:"groups,omitempty"`
	Users  []user  `json:"users,omitempty"`
}

// group is a group to be made. A GID of 0 is any.
type group struct {
	Name   string `json:"name"`
	GID    uint32 `json:"gid,omitempty"`
	System bool   `json:"system,omitempty"`
}

// user is a user to be made. A UID of 0 is any; Home is "" for none.
type user struct {
	Name   string   `json:"name"`
	UID    uint32   `json:"uid,omitempty"`
	Gecos  string   `json:"gecos,omitempty"`
	Shell  string   `json:"shell"`
	Home   string   `json:"home,omitempty"`
	Groups []string `json:"groups,omitempty"`
	System bool     `json:"system,omitempty"`
}

// AccountsAction makes the users and groups of a flavour. Their passwords are locked.
var AccountsAction = task.Define("content-accounts", 1, makeAccounts).Small()

func makeAccounts(ctx context.Context, t *task.Task, p accountsParams) error {
	f, err := newFinder(t)
	if err != nil {
		return err
	}
	var found diag.Findings
	for _, g := range p.Groups {
		if err := found.Add(f.makeGroup(ctx, g)); err != nil {
			return err
		}
	}
	for _, u := range membersLast(p.Users) {
		if err := found.Add(f.makeUser(ctx, u)); err != nil {
			return err
		}
	}
	return found.Err()
}

// membersLast puts users after those whose groups they are members of, as far as these
// are made here: a group is made with its user. Users who are members of each other's
// groups stay in their order, and the first one's group is missing.
func membersLast(users []user) []user {
	left, ordered := slices.Clone(users), make([]user, 0, len(users))
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(u user) bool {
			return !slices.ContainsFunc(left, func(other user) bool { return slices.Contains(u.Groups, other.Name) })
		})
		i = max(i, 0)
		ordered = append(ordered, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return ordered
}

// accounts are the names that the tree has.
func (f *finder) accounts() (users, groups []string) {
	u, g := machine.ReadNumbers(filepath.Join(f.t.Tree, "etc"))
	return slices.Collect(maps.Values(u)), slices.Collect(maps.Values(g))
}

func (f *finder) makeGroup(ctx context.Context, g group) error {
	at := "group " + g.Name
	if _, groups := f.accounts(); slices.Contains(groups, g.Name) {
		return f.fault(at, "Account that is there already", "There is a group %q already, of a package or a feature. Choose another name, or leave it out here.", g.Name)
	}
	argv := []string{"groupadd"}
	if g.System {
		argv = append(argv, "--system")
	}
	if g.GID != 0 {
		argv = append(argv, "--gid", fmt.Sprint(g.GID))
	}
	if err := f.t.InTree(ctx, append(argv, g.Name)...); err != nil {
		return f.fault(at, "Group that cannot be made", "The group %q cannot be made: %w", g.Name, err)
	}
	return nil
}

func (f *finder) makeUser(ctx context.Context, u user) error {
	at := "user " + u.Name
	users, groups := f.accounts()
	for kind, have := range map[string][]string{"user": users, "group": groups} {
		if slices.Contains(have, u.Name) {
			return f.fault(at, "Account that is there already", "There is a %s %q already, of a package or a feature. Choose another name for the user.", kind, u.Name)
		}
	}
	for _, g := range u.Groups {
		if !slices.Contains(groups, g) {
			return f.fault("member "+u.Name+" "+g, "Unknown group", "There is no group %q, which %s is to be a member of. A package that makes it is missing, or it has to be in groups of the flavour, also if a sysusers.d file of a feature declares it, because that is read later.%s", g, u.Name, meant(g, groups))
		}
	}
	argv := []string{"useradd", "--no-create-home", "--comment", u.Gecos, "--shell", u.Shell}
	if u.System {
		argv = append(argv, "--system", "--user-group")
	}
	if u.UID != 0 {
		argv = append(argv, "--uid", fmt.Sprint(u.UID))
	}
	if u.Home == "" {
		u.Home = "/nonexistent"
	}
	argv = append(argv, "--home-dir", u.Home)
	if len(u.Groups) > 0 {
		argv = append(argv, "--groups", strings.Join(u.Groups, ","))
	}
	if err := f.t.InTree(ctx, append(argv, "--", u.Name)...); err != nil {
		return f.fault(at, "User that cannot be made", "The user %q cannot be made: %w", u.Name, err)
	}
	return nil
}
