package difference

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/machine"
)

// unitDirs are where units are on a machine, with whether they are those of users.
var unitDirs = map[string]bool{"/etc/systemd/system": false, "/usr/lib/systemd/system": false, "/etc/systemd/user": true, "/usr/lib/systemd/user": true}

// findUnits finds units that were enabled, disabled, masked or unmasked, by the links.
func (d *Difference) findUnits() {
	type key struct {
		name string
		user bool
	}
	was, is := map[key]map[string]bool{}, map[key]map[string]bool{}
	add := func(into map[key]map[string]bool, k key, by string) {
		if into[k] == nil {
			into[k] = map[string]bool{}
		}
		into[k][by] = true
	}
	const masked = "\x00masked"
	for _, f := range d.Files {
		name := machine.Path(strings.TrimPrefix(f.Path, "/"))
		dir := path.Dir(name)
		for _, side := range []struct {
			file *format.OSTreeFile
			into map[key]map[string]bool
		}{{f.before, was}, {f.after, is}} {
			if side.file == nil || !side.file.Link() {
				continue
			}
			user, system := unitDirs[dir]
			if system && side.file.Target == "/dev/null" {
				add(side.into, key{path.Base(name), user}, masked)
			}
			for _, ending := range []string{".wants", ".requires", ".upholds"} {
				by, ok := strings.CutSuffix(path.Base(dir), ending)
				if user, known := unitDirs[path.Dir(dir)]; ok && known {
					add(side.into, key{path.Base(name), user}, by)
				}
			}
		}
	}
	list := func(what, whatMasked string, has, had map[key]map[string]bool) {
		for k, by := range has {
			var wanting []string
			for name := range by {
				switch {
				case had[k][name]:
				case name == masked:
					d.Units = append(d.Units, Unit{Name: k.name, What: whatMasked, User: k.user})
				default:
					wanting = append(wanting, name)
				}
			}
			if slices.Sort(wanting); len(wanting) > 0 {
				d.Units = append(d.Units, Unit{k.name, what, wanting, k.user})
			}
		}
	}
	list("enabled", "masked", is, was)
	list("disabled", "unmasked", was, is)
	slices.SortFunc(d.Units, func(a, b Unit) int {
		return strings.Compare(a.Name+" "+a.What, b.Name+" "+b.What)
	})
}

// largestText is more than units and account files have, in bytes.
const largestText = 16 << 20

// findSockets compares what changed socket units listen on.
func (d *Difference) findSockets() error {
	var was, is []string
	for _, f := range d.Files {
		name := machine.Path(strings.TrimPrefix(f.Path, "/"))
		dir, unit := path.Dir(name), path.Base(name)
		if strings.HasSuffix(dir, ".socket.d") && strings.HasSuffix(unit, ".conf") {
			dir, unit = path.Dir(dir), strings.TrimSuffix(path.Base(dir), ".d")
		}
		if user, ok := unitDirs[dir]; !ok || user || !strings.HasSuffix(unit, ".socket") {
			continue
		}
		for _, side := range []struct {
			entry *ostree.Entry
			file  *format.OSTreeFile
			tree  *ostree.Tree
			into  *[]string
		}{{f.was, f.before, d.Before.Tree, &was}, {f.is, f.after, d.After.Tree, &is}} {
			if side.entry == nil || side.file.Mode&unix.S_IFMT != unix.S_IFREG {
				continue
			}
			text, err := side.tree.Content(*side.entry, largestText)
			if err != nil {
				return err
			}
			*side.into = append(*side.into, listening(unit, string(text))...)
		}
	}
	d.Sockets = lists(was, is)
	return nil
}

// listening are the lines of a socket unit that name a socket; see systemd.socket(5).
func listening(unit, text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if ok && strings.HasPrefix(key, "Listen") && value != "" {
			out = append(out, unit+": "+key+"="+value)
		}
	}
	return out
}

// accountFiles are where a commit may have accounts.
var accountFiles = []string{"usr/etc/", "usr/lib/"}

// compareAccounts compares the users and groups of both trees.
func (d *Difference) compareAccounts() error {
	usersBefore, groupsBefore, err := accountsIn(*d.Before.Tree)
	if err != nil {
		return err
	}
	usersAfter, groupsAfter, err := accountsIn(*d.After.Tree)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		kind          string
		before, after map[string]uint32
	}{{"user", usersBefore, usersAfter}, {"group", groupsBefore, groupsAfter}} {
		names := maps.Clone(c.before)
		maps.Copy(names, c.after)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			was, had := c.before[name]
			is, has := c.after[name]
			switch {
			case !had:
				d.Accounts = append(d.Accounts, Account{c.kind, name, "added", 0, is})
			case !has:
				d.Accounts = append(d.Accounts, Account{c.kind, name, "removed", was, 0})
			case was != is:
				d.Accounts = append(d.Accounts, Account{c.kind, name, "renumbered", was, is})
			}
		}
	}
	return nil
}

// accountsIn are the numbers of a tree's users and groups.
func accountsIn(tree ostree.Tree) (users, groups map[string]uint32, err error) {
	users, groups = map[string]uint32{}, map[string]uint32{}
	for _, dir := range accountFiles {
		passwd, err := optional(tree, dir+"passwd")
		if err != nil {
			return nil, nil, err
		}
		group, err := optional(tree, dir+"group")
		if err != nil {
			return nil, nil, err
		}
		for _, u := range account.ParsePasswd(passwd) {
			users[u.Name] = u.UID
		}
		for _, g := range account.ParseGroup(group) {
			groups[g.Name] = g.GID
		}
	}
	return users, groups, nil
}

// optional reads a file that a tree may have.
func optional(tree ostree.Tree, name string) (string, error) {
	text, err := tree.ReadFile(name, largestText)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}
