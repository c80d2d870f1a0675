package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/treewright/treewright/builder/layer"
)

// topLinks are the links that OSTree wants at the top of a tree: what belongs
// to the machine lies in /var. See "Adapting existing mainstream
// distributions" in OSTree's documentation.
var topLinks = []struct{ name, target, content string }{
	// content is where what packages left there goes, below /var's defaults.
	{"home", "var/home", "var/home"},
	{"root", "var/roothome", "var/roothome"},
	{"srv", "var/srv", "var/srv"},
	{"opt", "var/opt", "var/opt"},
	{"mnt", "var/mnt", "var/mnt"},
	{"usr/local", "../var/usrlocal", "var/usrlocal"},
	{"media", "run/media", ""},
	{"ostree", "sysroot/ostree", ""},
}

type treeParams struct {
	// Secrets are the secrets that may be in the tree.
	Secrets []allowedSecret `json:"secrets,omitempty"`
}

// treeAction brings a tree into the shape that OSTree deploys, and then looks
// for what would break on a machine.
func treeAction(ctx context.Context, t *Task) error {
	p, err := params[treeParams](t)
	if err != nil {
		return err
	}
	for _, name := range leftovers {
		if err := os.Remove(filepath.Join(t.Tree, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, dir := range []string{"boot", "tmp", "run", "proc", "sys", "dev", "sysroot", "efi"} {
		if err := emptyDir(filepath.Join(t.Tree, dir)); err != nil {
			return err
		}
	}
	move := func(from, to string) error {
		// Overlayfs cannot rename a folder of a lower layer; mv copies it, with
		// owners, links and extended attributes.
		if err := os.MkdirAll(filepath.Dir(filepath.Join(t.Tree, to)), 0o755); err != nil {
			return err
		}
		return t.Tool(ctx, "mv", "--no-target-directory", ToolTree+"/"+from, ToolTree+"/"+to)
	}
	for _, l := range topLinks {
		if err := relocate(t.Tree, l.name, l.target, l.content, move); err != nil {
			return fmt.Errorf("move /%s: %w", l.name, err)
		}
	}
	if err := redirectRules(t.Tree); err != nil {
		return err
	}
	if err := move("var/lib/dpkg", "usr/lib/sysimage/dpkg"); err != nil {
		return err
	}
	if err := clearVar(t.Tree); err != nil {
		return err
	}
	if err := move("var", factory); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(t.Tree, "var"), 0o755); err != nil {
		return err
	}
	if err := writeVarRules(t.Tree); err != nil {
		return err
	}
	if err := move("etc", "usr/etc"); err != nil {
		return err
	}
	return lint(t.Tree, p.Secrets, t.Warn)
}

// redirectRules makes the packages' own tmpfiles.d(5) rules speak of where the
// folders are that became links. systemd-tmpfiles goes through the rules in
// the order of their paths, and a rule for what lies behind a link fails as
// long as the link leads nowhere: so /root/.ssh, for one, would never be made.
func redirectRules(tree string) error {
	for _, dir := range ruleFolders {
		files, err := layer.Glob(filepath.Join(tree, dir), "*.conf")
		if err != nil {
			return err
		}
		for _, file := range files {
			if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if redirected := redirectRuleFile(string(text)); redirected != string(text) {
				if err := os.WriteFile(file, []byte(redirected), 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ruleFolders hold tmpfiles.d rules.
var ruleFolders = []string{"usr/lib/tmpfiles.d", "etc/tmpfiles.d"}

// rulePath is a rule's type, blanks, and its path.
var rulePath = regexp.MustCompile(`(?m)^([a-zA-Z][-+!=~^$?]*[ \t]+)(/[^ \t\n]*)`)

func redirectRuleFile(text string) string {
	return rulePath.ReplaceAllStringFunc(text, func(rule string) string {
		m := rulePath.FindStringSubmatch(rule)
		for _, l := range topLinks {
			if m[2] == "/"+l.name || strings.HasPrefix(m[2], "/"+l.name+"/") {
				to := filepath.Join("/", filepath.Dir(l.name), l.target)
				return m[1] + to + strings.TrimPrefix(m[2], "/"+l.name)
			}
		}
		return rule
	})
}

// relocate moves what lies at name to content, and puts a link in its place.
func relocate(tree, name, target, content string, move func(from, to string) error) error {
	path := filepath.Join(tree, name)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode().Type() == fs.ModeSymlink:
		if err := os.Remove(path); err != nil {
			return err
		}
	case content == "":
		// Only a mount point: what is in there would never be seen.
		if err := os.Remove(path); err != nil {
			return err
		}
	default:
		if err := move(name, content); err != nil {
			return err
		}
	}
	return os.Symlink(target, path)
}

// emptyDir makes sure that dir is there and empty.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return layer.Empty(dir)
}

// factory is where the first content of /var lies in a commit (tmpfiles.d(5)).
const factory = "usr/share/factory/var"

// packagingState are folders of /var that only installing packages needs.
var packagingState = []string{
	"var/lib/apt", "var/lib/ucf", "var/lib/pam", "var/lib/python", "var/lib/dracut", "var/cache/debconf", "var/cache/apt",
	"var/lib/systemd/deb-systemd-helper-enabled", "var/lib/systemd/deb-systemd-user-helper-enabled",
	"var/lib/systemd/catalog", "var/lib/flatpak", "var/lib/shells.state", "var/lib/dbus/machine-id",
}

// leftovers are files that nothing on a machine reads: the links to kernels in
// /boot, which will be empty, and the copies that account tools make before
// they change a file.
var leftovers = []string{
	"vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old",
	"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-", "etc/.pwd.lock",
}

// clearVar removes from /var what no machine should start with: the state of
// packaging, caches, logs, temporary files.
func clearVar(tree string) error {
	for _, dir := range packagingState {
		if err := os.RemoveAll(filepath.Join(tree, dir)); err != nil {
			return fmt.Errorf("clear /%s: %w", dir, err)
		}
	}
	for _, dir := range []string{"var/cache", "var/log", "var/tmp", "var/backups"} {
		err := filepath.WalkDir(filepath.Join(tree, dir), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if !d.IsDir() {
				return os.Remove(path)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("clear /%s: %w", dir, err)
		}
	}
	return nil
}

// writeVarRules turns what lies in the factory's var into tmpfiles.d(5) rules
// that make it on a machine: folders with their modes and owners, links, and
// files copied from the factory. What a package has a rule for is left to it.
func writeVarRules(tree string) error {
	names, err := readNames(tree)
	if err != nil {
		return err
	}
	ruled, err := ruledPaths(tree)
	if err != nil {
		return err
	}
	rules := []string{"L /var/lib/dpkg - - - - ../../usr/lib/sysimage/dpkg"}
	var remove []string
	root := filepath.Join(tree, factory)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := "/var/" + rel
		if ruled[name] {
			if !d.IsDir() {
				remove = append(remove, path)
			}
			return nil
		}
		owner := names.owner(info)
		switch info.Mode().Type() {
		case fs.ModeDir:
			rules = append(rules, fmt.Sprintf("d %s %04o %s -", escapeRule(name), octal(info.Mode()), owner))
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			rules = append(rules, fmt.Sprintf("L %s - - - - %s", escapeRule(name), strings.ReplaceAll(target, "%", "%%")))
			remove = append(remove, path)
		case 0:
			rules = append(rules, fmt.Sprintf("C %s %04o %s -", escapeRule(name), octal(info.Mode()), owner))
		default:
			return fmt.Errorf("%s is neither file, folder nor link", name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make rules for /var: %w", err)
	}
	for _, path := range remove {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if err := pruneFolders(root); err != nil {
		return err
	}
	sort.Strings(rules)
	text := "# Made by Treewright: the content of /var when this commit was made.\n" + strings.Join(rules, "\n") + "\n"
	file := filepath.Join(tree, "usr/lib/tmpfiles.d/treewright-var.conf")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// octal returns the twelve permission bits as chmod writes them.
func octal(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// escapeRule protects a path: tmpfiles.d splits at blanks and expands %.
func escapeRule(path string) string {
	return strings.NewReplacer("%", "%%", `\`, `\\`, " ", `\x20`, "\t", `\x09`).Replace(path)
}

// ruledPaths returns the paths below /var that the tree's own tmpfiles.d makes
// or takes care of.
func ruledPaths(tree string) (map[string]bool, error) {
	ruled := map[string]bool{}
	for _, dir := range ruleFolders {
		files, err := layer.Glob(filepath.Join(tree, dir), "*.conf")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				// A link to /dev/null masks a file of the same name.
				if info, lerr := os.Lstat(file); lerr == nil && info.Mode().Type() == fs.ModeSymlink {
					continue
				}
				return nil, err
			}
			for _, line := range strings.Split(string(text), "\n") {
				fields := strings.Fields(line)
				if len(fields) >= 2 && strings.ContainsAny(fields[0][:1], "dDfFvqQLCpcb") {
					ruled[strings.TrimRight(fields[1], "/")] = true
				}
			}
		}
	}
	return ruled, nil
}

// pruneFolders removes empty folders below root, and root itself if it is one.
func pruneFolders(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		entries, err := os.ReadDir(dirs[i])
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			if err := os.Remove(dirs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
