package accounts

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

const sysusersProgram = "usr/bin/systemd-sysusers"

// sysusersDirs are where accounts are declared, below a tree or a file.include.
// A file of the later directory takes the place of one of its name.
var sysusersDirs = []string{machine.SysusersDir, "usr/local/lib/sysusers.d", "etc/sysusers.d"}

// sysusersFiles are the sysusers.d files below root that count, relative paths
// by their names.
func sysusersFiles(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, dir := range sysusersDirs {
		found, err := layer.Glob(root, dir+"/*.conf")
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			files[filepath.Base(file)] = dir + "/" + filepath.Base(file)
		}
	}
	return files, nil
}

// Pick chooses the sysusers.d files of file.include.
func Pick(rel string, isDir bool) bool {
	return slices.ContainsFunc(sysusersDirs, func(dir string) bool {
		dir = "file.include/" + dir
		return strings.HasPrefix(dir+"/", rel+"/") || filepath.Dir(rel) == dir && !isDir
	})
}

// IsDeclaration reports whether an absolute path in a system is that of a sysusers.d file.
func IsDeclaration(file string) bool {
	return strings.HasSuffix(file, ".conf") && slices.Contains(sysusersDirs, strings.TrimPrefix(path.Dir(file), "/"))
}

// GeneratedSource names the source with a feature's generated sysusers.d files, each
// at its path in the system.
func GeneratedSource(feature string) string { return "generated/" + feature }

// declarations are the directories below which a feature declares accounts, by what
// the names of files there begin with in programs that run in the tree.
func declarations(t *task.Task, feature string) map[string]string {
	dirs := map[string]string{}
	for name, below := range map[string]string{"features/" + feature: "file.include", GeneratedSource(feature): ""} {
		if at := t.Sources[name]; at != "" {
			dirs[path.Join(name, below)+"/"] = filepath.Join(at, below)
		}
	}
	return dirs
}

// makeAccounts lets systemd-sysusers make what the features' files declare. The
// files themselves come later, with all others of their feature.
func makeAccounts(ctx context.Context, t *task.Task, features []string) error {
	if !treefs.Exists(filepath.Join(t.Tree, sysusersProgram)) {
		return fmt.Errorf("the tree has no systemd-sysusers, which makes the accounts in sysusers.d of %s; a package of the flavour must contain it (systemd does)",
			strings.Join(features, ", "))
	}
	argv := []string{"systemd-sysusers"}
	for _, f := range features {
		dirs := declarations(t, f)
		for _, prefix := range slices.Sorted(maps.Keys(dirs)) {
			files, err := sysusersFiles(dirs[prefix])
			if err != nil {
				return err
			}
			for _, base := range slices.Sorted(maps.Keys(files)) {
				argv = append(argv, task.ToolSource+"/"+prefix+files[base])
			}
		}
	}
	return t.WithSources(func() error { return t.InTree(ctx, argv...) })
}

// Read reads the tree's accounts, and what insists on numbers: its
// sysusers.d files, and those of the features that are yet to be copied.
func Read(t *task.Task, features []string) (account.Tree, error) {
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
	if err := fixed.find(t.Tree, "/"); err != nil {
		return a, err
	}
	for _, f := range features {
		for prefix, dir := range declarations(t, f) {
			if err := fixed.find(dir, prefix); err != nil {
				return a, err
			}
		}
	}
	err = fixed.read()
	a.FixedUsers, a.FixedGroups = fixed.users, fixed.groups
	return a, err
}

// fixedAccounts are the numbers that sysusers.d files ask for, except for the file
// that we write ourselves.
type fixedAccounts struct {
	users, groups map[string]account.Fixed
	files         map[string]string // base name -> path
	shown         map[string]string // base name -> path in messages
}

// find notes the files below root. In messages their paths begin with prefix.
func (x *fixedAccounts) find(root, prefix string) error {
	files, err := sysusersFiles(root)
	for base, rel := range files {
		x.files[base], x.shown[base] = filepath.Join(root, rel), prefix+rel
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

// accountsFile is where a commit says which accounts it has. systemd-sysusers
// reads it, and takes the first line for an account in the order of the files'
// names.
const accountsFile = machine.SysusersDir + "/00-accounts.conf"

// Declares reports whether the feature in the directory dir has sysusers.d
// files.
func Declares(dir string) bool {
	files, err := sysusersFiles(filepath.Join(dir, "file.include"))
	return err == nil && len(files) > 0
}
