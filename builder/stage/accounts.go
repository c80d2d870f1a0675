package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// sysusersDir is where a feature's own accounts are declared, below file.include
// and below a tree.
const sysusersDir = "usr/lib/sysusers.d"

// Where a commit says which accounts it has, and which numbers were ever given
// out in its history. The first is read by systemd-sysusers, which takes the
// first line for an account in the order of the files' names.
const (
	accountsFile = sysusersDir + "/00-accounts.conf"
	ledgerFile   = "usr/lib/treewright/accounts"
)

type accountsParams struct {
	// Features have sysusers.d files that their tree is to hold the accounts of.
	Features []string `json:"features,omitempty"`
	// Ledger holds the numbers that are to be kept.
	Ledger account.Ledger `json:"ledger"`
	// Write says that the tree is to say which accounts it has, and which numbers
	// were given out.
	Write bool `json:"write,omitempty"`
}

// accounts plans the step between packages and files: it makes the accounts
// that the features declare, so that files can be theirs, and gives all accounts
// the numbers that they have had before.
func (p *Planner) accounts(c composition, tip string) (string, error) {
	if p.Spec.Target != nil {
		return tip, nil
	}
	params := accountsParams{Ledger: p.ledger}
	step := plan.Step{
		ID: c.stage + "/accounts", Stage: c.stage, Title: "make the features' accounts and keep all numbers",
		Action: "accounts", Version: 2, Base: tip, Output: plan.Layer, MemoryMiB: 128,
	}
	if c.name != "system" {
		step.ID = c.stage + "/" + c.name + "/accounts"
	}
	made := false
	for _, f := range c.features {
		made = made || f.Scripts["exec.accounts"]
		if !p.declaresAccounts(f) {
			continue
		}
		src, err := p.Sources.Import("features/"+f.Name, p.featureDir(f), pickAccounts)
		if err != nil {
			return "", err
		}
		params.Features = append(params.Features, f.Name)
		step.Sources = append(step.Sources, src)
	}
	if !made && len(params.Features) == 0 && params.Ledger.Empty() {
		return tip, nil
	}
	step.Params = encode(params)
	return p.add(step)
}

// settleAccounts plans the last word on accounts, when no feature's script can
// make any more.
func (p *Planner) settleAccounts() error {
	var err error
	p.rootfsTip, err = p.add(plan.Step{
		ID: "commit/accounts", Stage: "commit", Title: "write down all accounts with their numbers",
		Action: "accounts", Version: 2, Params: encode(accountsParams{Ledger: p.ledger, Write: true}),
		Base: p.rootfsTip, Output: plan.Layer, MemoryMiB: 128,
	})
	return err
}

func (p *Planner) declaresAccounts(f *config.Feature) bool {
	found, err := layer.Glob(p.featureDir(f), "file.include/"+sysusersDir+"/*.conf")
	return err == nil && len(found) > 0
}

// pickAccounts chooses the sysusers.d files of file.include.
func pickAccounts(rel string, isDir bool) bool {
	const dir = "file.include/" + sysusersDir
	return strings.HasPrefix(dir+"/", rel+"/") || filepath.Dir(rel) == dir && !isDir
}

func accountsAction(ctx context.Context, t *Task) error {
	p, err := params[accountsParams](t)
	if err != nil {
		return err
	}
	if len(p.Features) > 0 {
		if err := t.makeAccounts(ctx, p.Features); err != nil {
			return err
		}
	}
	// A tree without the files has no accounts to speak of.
	if !exists(filepath.Join(t.Tree, "etc/passwd")) || !exists(filepath.Join(t.Tree, "etc/group")) {
		return nil
	}
	tree, err := t.readAccounts(p.Features)
	if err != nil {
		return err
	}
	users, groups, conflicts := p.Ledger.Renumber(tree)
	if len(conflicts) > 0 {
		return accountsFault(t.Tree, conflicts)
	}
	if len(users)+len(groups) > 0 {
		report(t, tree, users, groups)
		if err := renumber(t.Tree, users, groups); err != nil {
			return fmt.Errorf("renumber accounts: %w", err)
		}
		if tree, err = t.readAccounts(p.Features); err != nil {
			return err
		}
	}
	if err := placeSubordinates(t.Tree, tree.Users); err != nil || !p.Write {
		return err
	}
	return writeAccounts(t.Tree, tree, p.Ledger)
}

// makeAccounts lets systemd-sysusers make what the features' files declare. The
// files themselves come later, with all others of their feature.
func (t *Task) makeAccounts(ctx context.Context, features []string) error {
	if !exists(filepath.Join(t.Tree, "usr/bin/systemd-sysusers")) {
		return fmt.Errorf("the tree has no systemd-sysusers, which the accounts in file.include/%s of %s are made by; a package of the flavour must bring it (systemd does)",
			sysusersDir, strings.Join(features, ", "))
	}
	argv := []string{"systemd-sysusers"}
	for _, f := range features {
		found, err := layer.Glob(t.Sources["features/"+f], "file.include/"+sysusersDir+"/*.conf")
		if err != nil {
			return err
		}
		slices.Sort(found)
		for _, file := range found {
			argv = append(argv, ToolSource+"/features/"+f+"/file.include/"+sysusersDir+"/"+filepath.Base(file))
		}
	}
	return t.withBuilder(func() error { return t.InTree(ctx, argv...) })
}

// readAccounts reads the tree's accounts, and what insists on numbers: its
// sysusers.d files, and those of the features that are yet to be copied.
func (t *Task) readAccounts(features []string) (account.Tree, error) {
	var a account.Tree
	passwd, err := os.ReadFile(filepath.Join(t.Tree, "etc/passwd"))
	if err != nil {
		return a, fmt.Errorf("read accounts: %w", err)
	}
	group, err := os.ReadFile(filepath.Join(t.Tree, "etc/group"))
	if err != nil {
		return a, fmt.Errorf("read accounts: %w", err)
	}
	a.Users, a.Groups = account.ParsePasswd(string(passwd)), account.ParseGroup(string(group))
	fixed := fixedAccounts{users: map[string]account.Fixed{}, groups: map[string]account.Fixed{}, files: map[string]string{}, shown: map[string]string{}}
	// The later directory's file of a name takes the place of the earlier's.
	for _, dir := range []string{sysusersDir, "usr/local/lib/sysusers.d", "etc/sysusers.d"} {
		if err := fixed.find(t.Tree, dir, ""); err != nil {
			return a, err
		}
	}
	for _, f := range features {
		if err := fixed.find(t.Sources["features/"+f], "file.include/"+sysusersDir, "features/"+f+"/"); err != nil {
			return a, err
		}
	}
	err = fixed.read()
	a.FixedUsers, a.FixedGroups = fixed.users, fixed.groups
	return a, err
}

// fixedAccounts are the numbers that sysusers.d files ask for, but for the file
// that we write ourselves.
type fixedAccounts struct {
	users, groups map[string]account.Fixed
	files         map[string]string // base name -> path
	shown         map[string]string // base name -> path in messages
}

// find notes the files of a directory dir below root. In messages their paths
// begin with prefix.
func (x *fixedAccounts) find(root, dir, prefix string) error {
	found, err := layer.Glob(root, dir+"/*.conf")
	for _, file := range found {
		base := filepath.Base(file)
		x.files[base] = file
		x.shown[base] = cmp.Or(prefix, "/") + dir + "/" + base
	}
	return err
}

func (x *fixedAccounts) read() error {
	delete(x.files, filepath.Base(accountsFile))
	for _, base := range slices.Sorted(maps.Keys(x.files)) {
		// A link masks a file (/dev/null), or leads who knows where.
		if info, err := os.Lstat(x.files[base]); err == nil && !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(x.files[base])
		if err != nil {
			return fmt.Errorf("read accounts: %w", err)
		}
		lines, _ := account.ParseSysusers(string(text))
		for _, l := range lines {
			by := x.shown[base] + ": " + l.Text
			if uid, ok := l.UID(); ok {
				claim(x.users, l.Name, account.Fixed{ID: uid, By: by})
			}
			if gid, ok := l.GID(); ok {
				claim(x.groups, l.Name, account.Fixed{ID: gid, By: by})
			}
		}
	}
	return nil
}

// claim keeps the first that claims a name, as systemd does.
func claim(m map[string]account.Fixed, name string, f account.Fixed) {
	if _, taken := m[name]; !taken {
		m[name] = f
	}
}

// report writes to the log which accounts get other numbers.
func report(t *Task, tree account.Tree, users, groups map[uint32]uint32) {
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
		ledgerFile: "# Made by Treewright: all numbers that accounts have had in this commit's history. As the file\n" +
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

// accountsFault says which numbers cannot be kept, and whose packages the
// accounts are.
func accountsFault(tree string, conflicts []account.Conflict) error {
	var lines []string
	for _, c := range conflicts {
		line := c.Error()
		if by := accountPackages(tree, c); len(by) > 0 {
			line += "; of package " + strings.Join(by, ", ")
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return errors.New("these accounts cannot keep their numbers, and files on machines would become somebody else's:\n  " + strings.Join(slices.Compact(lines), "\n  ") +
		"\nGive the account another name or another number, or begin a history of its own (os_name, ref) for a system that is to differ")
}

// accountPackages are the packages that an account is from: the one whose
// sysusers.d file declares it, else those whose scripts mention it.
func accountPackages(tree string, c account.Conflict) []string {
	info := filepath.Join(tree, "var/lib/dpkg/info")
	if file, _, ok := strings.Cut(c.By, ": "); ok && strings.HasPrefix(file, "/") {
		if by := packagesWith(info, "*.list", func(text string) bool { return slices.Contains(strings.Split(text, "\n"), file) }); len(by) > 0 {
			return by
		}
	}
	return packagesWith(info, "*.postinst", func(text string) bool {
		return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n\"'=;()", r) }), c.Name)
	})
}

// packagesWith are the packages one of whose files in dpkg's directory is as
// wanted.
func packagesWith(info, pattern string, want func(text string) bool) []string {
	files, _ := layer.Glob(info, pattern)
	var names []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && want(string(text)) {
			name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), ":")
			names = append(names, name)
		}
	}
	return names
}
