package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// Params are the parameters of [Action].
type Params struct {
	// Features have sysusers.d files that their tree is to hold the accounts of.
	Features []string `json:"features,omitempty"`
	// Users and Groups are numbers that the flavour gives to accounts of its own.
	Users  map[string]uint32 `json:"users,omitempty"`
	Groups map[string]uint32 `json:"groups,omitempty"`
	// Ledger holds the numbers that are to be kept.
	Ledger account.Ledger `json:"ledger"`
	// Follows reports that there are commits before, and so machines with accounts
	// of their own.
	Follows bool `json:"follows,omitempty"`
	// Write reports that the tree is to say which accounts it has, and which numbers
	// were given out.
	Write bool `json:"write,omitempty"`
}

// Action makes the accounts that features declare and gives all accounts of the
// tree the numbers that they have to keep.
var Action = task.Define("accounts", 3, makeAndNumber).Small()

func makeAndNumber(ctx context.Context, t *task.Task, p Params) error {
	if len(p.Features) > 0 {
		if err := makeAccounts(ctx, t, p.Features); err != nil {
			return err
		}
	}
	if p.Write && treefs.Exists(filepath.Join(t.Tree, sysusersProgram)) {
		// What else is declared, by files of packages and of features' scripts: or
		// each machine would give it a number of its own.
		if err := errors.Join(t.InTree(ctx, "systemd-sysusers"), t.Release()); err != nil {
			return err
		}
	}
	// A tree without the files has no accounts to mention.
	if !treefs.Exists(filepath.Join(t.Tree, "etc/passwd")) || !treefs.Exists(filepath.Join(t.Tree, "etc/group")) {
		return nil
	}
	tree, err := read(t, p)
	if err != nil {
		return err
	}
	users, groups, conflicts := p.Ledger.Renumber(tree, p.Follows)
	if len(conflicts) > 0 {
		return accountsFault(t, conflicts)
	}
	if len(users)+len(groups) > 0 {
		report(t, tree, users, groups)
		if err := Renumber(t.Tree, users, groups); err != nil {
			return fmt.Errorf("renumber accounts: %w", err)
		}
		if tree, err = read(t, p); err != nil {
			return err
		}
	}
	if err := placeSubordinates(t.Tree, tree.Users); err != nil || !p.Write {
		return err
	}
	return writeAccounts(t.Tree, tree, p.Ledger)
}

// report writes to the log which accounts get other numbers.
func report(t *task.Task, tree account.Tree, users, groups map[uint32]uint32) {
	for _, u := range tree.Users {
		if to, ok := users[u.UID]; ok {
			fmt.Fprintf(t.Log, "user %s: %d becomes %d\n", u.Name, u.UID, to)
		}
	}
	for _, g := range tree.Groups {
		if to, ok := groups[g.GID]; ok {
			fmt.Fprintf(t.Log, "group %s: %d becomes %d\n", g.Name, g.GID, to)
		}
	}
}

// placeSubordinates keeps the ranges of ids that users have for containers.
func placeSubordinates(tree string, users []account.User) error {
	for _, name := range []string{"etc/subuid", "etc/subgid"} {
		path := filepath.Join(tree, name)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read ranges of ids: %w", err)
		}
		if placed := account.Subordinate(string(text), users); placed != string(text) {
			if err := os.WriteFile(path, []byte(placed), 0o644); err != nil {
				return fmt.Errorf("write ranges of ids: %w", err)
			}
		}
	}
	return nil
}

// writeAccounts writes the two files by which a machine, and the next commit,
// know the accounts.
func writeAccounts(tree string, a account.Tree, before account.Ledger) error {
	all := before.Merge(account.Of(a.Users, a.Groups))
	for name, text := range map[string]string{
		accountsFile: "# Made by Treewright: all accounts and memberships of this commit, with the numbers that its files\n" +
			"# have. What other files say of the same accounts does not count.\n" +
			strings.Join(account.Sysusers(a.Users, a.Groups), "\n") + "\n",
		ostree.LedgerFile: "# Made by Treewright: all numbers that accounts have had in this commit's history. As the file\n" +
			"# accounts of a configuration tree it makes a new history keep them.\n" + all.Text(),
	} {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write accounts: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write accounts: %w", err)
		}
	}
	return nil
}

// accountsFault describes which numbers cannot be kept, and whose packages the
// accounts are.
func accountsFault(t *task.Task, conflicts []account.Conflict) error {
	var lines []string
	for _, c := range conflicts {
		line := c.Error()
		if by := accountPackages(t, c); len(by) > 0 {
			line += "; of package " + strings.Join(by, ", ")
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return errors.New("these accounts cannot keep their numbers, and files on machines would belong to other accounts:\n  " + strings.Join(slices.Compact(lines), "\n  ") +
		"\nGive the account another name or another number, or, for a system that should differ, start a separate history (os_name, ref)")
}

// accountPackages are the packages that an account is from: the one whose
// sysusers.d file declares it, else those whose scripts mention it.
func accountPackages(t *task.Task, c account.Conflict) []string {
	db := t.Distro.Database()
	dir := filepath.Join(t.Tree, db.Dir())
	if file, _, ok := strings.Cut(c.By, ": "); ok && strings.HasPrefix(file, "/") {
		if by := db.Owners(dir, file); len(by) > 0 {
			return by
		}
	}
	return db.Makers(dir, func(text string) bool {
		return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n\"'=;()", r) }), c.Name)
	})
}

// read is [Read], with the numbers that the flavour insists on.
func read(t *task.Task, p Params) (account.Tree, error) {
	tree, err := Read(t, p.Features)
	if err != nil {
		return tree, err
	}
	for name, id := range p.Users {
		tree.FixedUsers[name] = account.Fixed{ID: id, By: "users of the flavour"}
	}
	for name, id := range p.Groups {
		tree.FixedGroups[name] = account.Fixed{ID: id, By: "groups of the flavour"}
	}
	return tree, nil
}
