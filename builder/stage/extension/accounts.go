package extension

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// Numbers of accounts that only an extension has. Debian gives out numbers on
// demand from both ends of 100 to 999; these are from the middle, by the
// account's name alone, so that the same account has the same number in every
// extension, every build and every version. Two accounts that come out with one
// number are found; then a feature has to name one.
const (
	firstSystemID, lastSystemID = 100, 999
	firstExtensionID            = 200
	extensionIDs                = 700
)

// extensionID is the number of an account that only extensions have.
func extensionID(name string) uint32 {
	sum := sha256.Sum256([]byte("treewright extension account " + name))
	return firstExtensionID + binary.BigEndian.Uint32(sum[:4])%extensionIDs
}

// extensionAccounts are the accounts and memberships that an extension brings.
type extensionAccounts struct {
	users  []account.User
	groups []account.Group // also groups of the system that get new members
	own    account.Ledger  // the numbers of those that are new
	// notes are changes to the system's accounts, which do not leave.
	notes []string
}

// lines are those of a sysusers.d(5) file.
func (a extensionAccounts) lines(system account.Tree) []string {
	var groups []account.Group
	for _, g := range a.groups {
		if _, ok := a.own.Groups[g.Name]; ok {
			groups = append(groups, g)
		}
	}
	lines := account.Sysusers(a.users, groups)
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "m ") })
	had := account.Memberships(system.Users, system.Groups)
	everyone := append(slices.Clone(system.Users), a.users...)
	for _, m := range account.Memberships(everyone, a.groups) {
		if !slices.Contains(had, m) {
			lines = append(lines, "m "+m[0]+" "+m[1])
		}
	}
	return lines
}

// readTreeAccounts is [Task.readAccounts] of a tree in either shape.
func readTreeAccounts(tree string) (account.Tree, error) {
	if treefs.Exists(filepath.Join(tree, "etc")) {
		return accounts.Read(&task.Task{Tree: tree}, nil)
	}
	return accounts.Read(&task.Task{Tree: filepath.Join(tree, "usr")}, nil)
}

// settleExtensionAccounts gives all accounts of the extended tree, and what is
// theirs in it, the numbers they have on a machine: those of the committed
// tree, and for those that it does not have the ones of [extensionID] or what
// something in the tree insists on.
func (t extensionTrees) settleExtensionAccounts(ledger account.Ledger) (extensionAccounts, account.Tree, error) {
	var none extensionAccounts
	// A tree without the files has no accounts to mention.
	if !treefs.Exists(filepath.Join(t.extended, "etc/passwd")) || !treefs.Exists(filepath.Join(t.extended, "etc/group")) {
		return none, account.Tree{}, nil
	}
	system, err := readTreeAccounts(t.committed)
	if err != nil {
		return none, system, err
	}
	extended, err := readTreeAccounts(t.extended)
	if err != nil {
		return none, system, err
	}
	fixed := account.Of(system.Users, system.Groups)
	users, userFaults := assign("user", userNumbers(extended), fixed.Users, ledger.Users, extended.FixedUsers)
	groups, groupFaults := assign("group", groupNumbers(extended), fixed.Groups, ledger.Groups, extended.FixedGroups)
	if faults := append(userFaults, groupFaults...); len(faults) > 0 {
		return none, system, fmt.Errorf("the extension's accounts cannot have numbers of their own:\n  %s\n"+
			"A line \"u NAME NUMBER\" or \"g NAME NUMBER\" in a feature's file.include/%s, or in the file accounts of the tree, chooses another number",
			strings.Join(faults, "\n  "), machine.SysusersDir)
	}
	userChanges, shared := changedNumbers("user", userNumbers(extended), users)
	groupChanges, alsoShared := changedNumbers("group", groupNumbers(extended), groups)
	if faults := append(shared, alsoShared...); len(faults) > 0 {
		return none, system, fmt.Errorf("the extension's accounts cannot have numbers of their own:\n  %s", strings.Join(faults, "\n  "))
	}
	if len(userChanges)+len(groupChanges) > 0 {
		if err := accounts.Renumber(t.extended, userChanges, groupChanges); err != nil {
			return none, system, fmt.Errorf("renumber accounts: %w", err)
		}
		if extended, err = readTreeAccounts(t.extended); err != nil {
			return none, system, err
		}
	}
	return newAccounts(extended, system), system, nil
}

func userNumbers(t account.Tree) map[string]uint32 {
	numbers := map[string]uint32{}
	for _, u := range t.Users {
		numbers[u.Name] = u.UID
	}
	return numbers
}

func groupNumbers(t account.Tree) map[string]uint32 {
	numbers := map[string]uint32{}
	for _, g := range t.Groups {
		numbers[g.Name] = g.GID
	}
	return numbers
}

// assign chooses the number of every account of one kind, and says which of them
// would share one.
func assign(what string, have, system, ledger map[string]uint32, fixed map[string]account.Fixed) (map[string]uint32, []string) {
	chosen, owner := map[string]uint32{}, map[uint32]string{}
	var faults []string
	for _, from := range []map[string]uint32{ledger, system} {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			owner[from[name]] = name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		id, ok := system[name]
		if ok {
			chosen[name] = id
			continue
		}
		if id, ok = ledger[name]; !ok {
			id = have[name]
			// What is outside of this range somebody has chosen, or useradd
			// for a person.
			if _, must := fixed[name]; !must && id >= firstSystemID && id <= lastSystemID {
				id = extensionID(name)
			}
		}
		if other, taken := owner[id]; taken && other != name {
			faults = append(faults, fmt.Sprintf("%s %s and %s %s would both be %d", what, other, what, name, id))
			continue
		}
		chosen[name], owner[id] = id, name
	}
	return chosen, faults
}

// changedNumbers is old to new. Accounts that share a number and part are
// faults: whose a file was meant to be cannot be told.
func changedNumbers(what string, have, want map[string]uint32) (map[uint32]uint32, []string) {
	changes, first := map[uint32]uint32{}, map[uint32]string{}
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		old, id := have[name], want[name]
		if other, shared := first[old]; shared && want[other] != id {
			faults = append(faults, fmt.Sprintf("%s %s and %s %s share the number %d and cannot both keep it", what, other, what, name, old))
			continue
		}
		first[old] = name
		if old != id {
			changes[old] = id
		}
	}
	return changes, faults
}

// newAccounts are those of the extended tree that the system does not have.
func newAccounts(extended, system account.Tree) extensionAccounts {
	a := extensionAccounts{own: account.Ledger{Users: map[string]uint32{}, Groups: map[string]uint32{}}}
	for _, u := range extended.Users {
		i := slices.IndexFunc(system.Users, func(s account.User) bool { return s.Name == u.Name })
		if i < 0 {
			a.users = append(a.users, u)
			a.own.Users[u.Name] = u.UID
		} else if u != system.Users[i] {
			a.notes = append(a.notes, fmt.Sprintf("the account %s keeps its values of the system: the extension's change of its line in /etc/passwd is left out", u.Name))
		}
	}
	for _, g := range extended.Groups {
		i := slices.IndexFunc(system.Groups, func(s account.Group) bool { return s.Name == g.Name })
		if i < 0 {
			a.own.Groups[g.Name] = g.GID
		}
		if i < 0 || !slices.Equal(g.Members, system.Groups[i].Members) {
			a.groups = append(a.groups, g)
		}
	}
	return a
}

// strangers finds files that belong to nobody: neither to an account of the
// system nor to one that leaves with the extension.
func (t extensionTrees) strangers(files []leaving) ([]string, error) {
	names, err := treefs.ReadOwners(t.extended)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, f := range files {
		var st unix.Stat_t
		path := filepath.Join(t.extended, f.source())
		if err := unix.Lstat(path, &st); err != nil {
			return nil, &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
		if _, ok := names.Users[st.Uid]; !ok {
			faults = append(faults, fmt.Sprintf("/%s: its owner has the number %d, which is not an account's", f.source(), st.Uid))
		}
		if _, ok := names.Groups[st.Gid]; !ok {
			setgid := ""
			if st.Mode&unix.S_ISGID != 0 && st.Mode&unix.S_IFMT == unix.S_IFREG {
				setgid = ", with whose rights it would run,"
			}
			faults = append(faults, fmt.Sprintf("/%s: its group%s has the number %d, which is not an account's", f.source(), setgid, st.Gid))
		}
	}
	return faults, nil
}

// passwords are the names of new accounts that have one.
func (t extensionTrees) passwords(a extensionAccounts) []string {
	text, err := os.ReadFile(filepath.Join(t.extended, "etc/shadow"))
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		password, _, _ := strings.Cut(rest, ":")
		if _, own := a.own.Users[name]; own && strings.Trim(password, "*!") != "" {
			names = append(names, name)
		}
	}
	return names
}
