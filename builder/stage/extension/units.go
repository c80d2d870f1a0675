package extension

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treefs"
)

// unitDirectories are where units are enabled, and where an extension can say the
// same. Everything below keeps its place, so an override is one there as well.
var unitDirectories = map[string]string{
	"etc/systemd/system": "usr/lib/systemd/system",
	"etc/systemd/user":   "usr/lib/systemd/user",
}

// startedLater are the targets that are started again whenever they are needed,
// and find then what belongs to them. All others were started before the
// extension was merged, or were on the way, and would not start anything more.
var startedLater = []string{
	"sleep.target", "suspend.target", "hibernate.target", "hybrid-sleep.target", "suspend-then-hibernate.target",
	"shutdown.target", "umount.target", "final.target", "exit.target", "reboot.target", "poweroff.target", "halt.target",
	"kexec.target", "soft-reboot.target", "rescue.target", "emergency.target",
	"system-update.target", "system-update-pre.target", "factory-reset.target", "storage-target-mode.target",
}

// unitPlace returns where something in one of the [unitDirectories] is in an
// extension, "" if it is in none.
func unitPlace(rel string) string {
	for from, to := range unitDirectories {
		if rest, ok := strings.CutPrefix(rel+"/", from+"/"); ok {
			return path.Join(to, rest)
		}
	}
	return ""
}

// units collects what an extension's features say about units in /etc.
type units struct {
	trees extensionTrees
	// leaving are files and links for the extension, start the units that have
	// to be started when it is merged.
	leaving []leaving
	start   []string
	// early are those that are started first, ownOrder those that are not ordered after them.
	early, ownOrder []string
	// notes are what cannot leave.
	notes []string
}

// add takes a new file, link or directory below one of the [unitDirectories].
func (u *units) add(c change) error {
	place := unitPlace(c.path)
	if c.kind.IsDir() {
		return nil // made with what is in it
	}
	if treefs.Exists(filepath.Join(u.trees.committed, place)) {
		u.notes = append(u.notes, fmt.Sprintf("/%s is left out: the system has /%s, which an extension cannot change", c.path, place))
		return nil
	}
	if treefs.Exists(filepath.Join(u.trees.extended, place)) {
		if same, err := u.sameLink(c.path, place); err != nil || same {
			return err
		}
		u.notes = append(u.notes, fmt.Sprintf("/%s is left out: the extension also has /%s, which takes precedence on a machine", c.path, place))
		return nil
	}
	l := leaving{path: place, from: c.path}
	if c.kind == fs.ModeSymlink {
		target, err := os.Readlink(filepath.Join(u.trees.extended, c.path))
		if err != nil {
			return err
		}
		if target == os.DevNull {
			u.notes = append(u.notes, fmt.Sprintf("/%s is left out: an extension does not mask units", c.path))
			return nil
		}
		l.link, l.target = true, u.link(c.path, place, target)
	}
	u.leaving = append(u.leaving, l)
	return nil
}

// sameLink reports whether two links are to units of one name, so that they mean the same.
func (u *units) sameLink(a, b string) (bool, error) {
	var targets [2]string
	for i, rel := range []string{a, b} {
		target, err := os.Readlink(filepath.Join(u.trees.extended, rel))
		if errors.Is(err, unix.EINVAL) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		targets[i] = path.Base(target)
	}
	return targets[0] == targets[1], nil
}

// link returns where the link at place leads, which is one to target in /etc,
// and takes note of what it starts.
func (u *units) link(rel, place, target string) string {
	dir, unit := path.Dir(place), path.Base(place)
	by, kind := strings.TrimSuffix(path.Base(dir), path.Ext(dir)), path.Ext(dir)
	if !slices.Contains([]string{".wants", ".requires", ".upholds"}, kind) {
		// An alias, by the unit's name, or a link to a file of any place.
		if path.Base(target) != unit && unitDirectoryOf(target) {
			return path.Base(target)
		}
		return target
	}
	if strings.HasPrefix(rel, "etc/systemd/system/") && kind != ".upholds" && u.running(by) {
		u.start = append(u.start, unit)
	}
	return "../" + path.Base(target)
}

// shipped takes note of what links in /usr start, which packages and features have there for units that cannot be disabled. What
// sysinit.target wants is early: it comes before all other units of the extension that are ordered as usual.
func (u *units) shipped(files []leaving) error {
	for _, f := range files {
		rest, ok := strings.CutPrefix(f.path, unitDir)
		dir, unit := path.Split(rest)
		by, kind := strings.TrimSuffix(path.Clean(dir), path.Ext(path.Clean(dir))), path.Ext(path.Clean(dir))
		switch {
		case !ok || f.directory:
		case f.link && f.from == "" && (kind == ".wants" || kind == ".requires") && u.running(by):
			u.start = append(u.start, unit)
			if by == "sysinit.target" {
				u.early = append(u.early, unit)
			}
		case dir == "" && !f.link:
			text, err := os.ReadFile(filepath.Join(u.trees.extended, f.source()))
			if err != nil {
				return err
			}
			if ownOrder.Match(text) {
				u.ownOrder = append(u.ownOrder, unit)
			}
		}
	}
	return nil
}

// ownOrder matches units that are not ordered after sysinit.target.
var ownOrder = regexp.MustCompile(`(?mi)^DefaultDependencies\s*=\s*(no|false|off|0)\s*$`)

// unitDirectoryOf reports whether a link's target is a unit by its place.
func unitDirectoryOf(target string) bool {
	dir := strings.TrimPrefix(path.Dir(target), "/")
	for from, to := range unitDirectories {
		if dir == from || dir == to || dir == "." {
			return true
		}
	}
	return false
}

// running reports whether a unit may be active when the extension is merged, so
// that it has started all that it wants. The extension's own are not.
func (u *units) running(name string) bool {
	return !slices.Contains(startedLater, name) && !strings.HasSuffix(name, ".device") && !strings.HasPrefix(name, "initrd") && !strings.Contains(name, "@.") &&
		(treefs.Exists(filepath.Join(u.trees.committed, "usr/lib/systemd/system", name)) || treefs.Exists(machine.OnDisk(u.trees.committed, "etc/systemd/system/"+name)))
}
