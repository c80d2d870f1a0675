package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/stage/machine"
)

// mostListed is how many files of one kind of fault are named.
const mostListed = 10

const (
	strayUser  = "%s belongs to %d, which is not an account; a later account could get that number"
	strayGroup = "%s belongs to the group %d, which is not a group; a later group could get that number"
)

// modeLint finds owners and modes that make a machine open.
type modeLint struct {
	// users and groups are the numbers that the tree has accounts for; without
	// any of them owners are not judged.
	users, groups map[uint32]string
	open, stray   []string
	varOpen       []string
	key           []string
}

// lintModes looks at all owners and modes of a tree in OSTree's shape. What is
// open in /var is a warning: programs may share directories there.
func lintModes(tree string, warn, report func(string, ...any)) error {
	l := modeLint{}
	l.users, l.groups = machine.ReadNumbers(filepath.Join(tree, "usr/etc"))
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == tree {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		l.look("/"+onMachine(strings.TrimPrefix(path, tree+"/")), info.Mode(), owner.Uid, owner.Gid)
		return nil
	})
	if err := errors.Join(err, l.rules(tree)); err != nil {
		return err
	}
	tell(l.open, report)
	tell(l.stray, report)
	tell(l.key, report)
	tell(l.varOpen, warn)
	return nil
}

// rules looks at what a machine makes in /var by the rules of the commit.
func (l *modeLint) rules(tree string) error {
	text, err := os.ReadFile(filepath.Join(tree, "usr/lib/tmpfiles.d", machine.OwnRules))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 3 || !strings.HasPrefix(f[0], "d") {
			continue
		}
		mode, err := strconv.ParseUint(strings.TrimLeft(f[2], ":~"), 8, 32)
		if err == nil && mode&0o002 != 0 && mode&0o1000 == 0 {
			l.varOpen = append(l.varOpen, fmt.Sprintf("%s has the mode %04o: everybody may write to it", f[1], mode))
		}
		if len(f) > 4 && len(l.users) > 0 && len(l.groups) > 0 {
			l.owners(f[1], strings.TrimLeft(f[3], ":"), strings.TrimLeft(f[4], ":"))
		}
	}
	return nil
}

// owners judges those of a rule that are numbers; names are accounts.
func (l *modeLint) owners(name, user, group string) {
	uid, err := strconv.ParseUint(user, 10, 32)
	if _, ok := l.users[uint32(uid)]; err == nil && !ok {
		l.stray = append(l.stray, fmt.Sprintf(strayUser, name, uid))
	}
	gid, err := strconv.ParseUint(group, 10, 32)
	if _, ok := l.groups[uint32(gid)]; err == nil && !ok {
		l.stray = append(l.stray, fmt.Sprintf(strayGroup, name, gid))
	}
}

// onMachine is where a machine has a file of a commit.
func onMachine(rel string) string {
	if rest, ok := strings.CutPrefix(rel+"/", "usr/share/factory/var/"); ok {
		return strings.TrimSuffix("var/"+rest, "/")
	}
	if rest, ok := strings.CutPrefix(rel+"/", "usr/etc/"); ok {
		return strings.TrimSuffix("etc/"+rest, "/")
	}
	return rel
}

func (l *modeLint) look(name string, mode fs.FileMode, uid, gid uint32) {
	if mode.Perm()&0o002 != 0 && (mode.IsRegular() || mode.IsDir() && mode&fs.ModeSticky == 0) {
		text := fmt.Sprintf("%s has the mode %04o: everybody may write to it", name, mode.Perm())
		if strings.HasPrefix(name, "/var/") {
			l.varOpen = append(l.varOpen, text)
		} else {
			l.open = append(l.open, text)
		}
	}
	if len(l.users) == 0 || len(l.groups) == 0 {
		return
	}
	if _, ok := l.users[uid]; !ok {
		l.stray = append(l.stray, fmt.Sprintf(strayUser, name, uid))
	}
	if _, ok := l.groups[gid]; !ok {
		l.stray = append(l.stray, fmt.Sprintf(strayGroup, name, gid))
	}
	if mode.IsRegular() {
		l.lookAtKey(name, mode.Perm(), uid, gid)
	}
}

// lookAtKey judges the files that say who may do what.
func (l *modeLint) lookAtKey(name string, perm fs.FileMode, uid, gid uint32) {
	var allowed fs.FileMode
	switch {
	case name == "/etc/passwd", name == "/etc/group", name == "/etc/sudoers", filepath.Dir(name) == "/etc/sudoers.d":
		allowed = 0o755
	case name == "/etc/shadow", name == "/etc/gshadow":
		if allowed = 0o600; gid == 0 || l.groups[gid] == "shadow" {
			allowed = 0o640
		}
	default:
		return
	}
	if uid != 0 {
		l.key = append(l.key, fmt.Sprintf("%s belongs to %d, not to root", name, uid))
	}
	if perm&^allowed != 0 {
		l.key = append(l.key, fmt.Sprintf("%s has the mode %04o and the group %d: it may have %04o at the most", name, perm, gid, allowed))
	}
}

// tell reports the first of a list, and how many there are more.
func tell(list []string, report func(string, ...any)) {
	list = slices.Sorted(slices.Values(list))
	for _, text := range list[:min(len(list), mostListed)] {
		report("%s", text)
	}
	if more := len(list) - mostListed; more > 0 {
		report("%s, and so on: %d more of this kind", list[mostListed-1], more)
	}
}
