package shape

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treefs"
)

// masks is where a machine hides a file of rules from itself.
const masks = "/var/usrlocal/lib/tmpfiles.d/"

func writeVarRules(tree string, db distro.Database, from *origin.Origins, warn func(string, ...any)) error {
	names, err := treefs.ReadOwners(tree)
	if err != nil {
		return err
	}
	rules, err := readRules(tree)
	if err != nil {
		return err
	}
	// Programs on a machine find the packages where they were before.
	link, err := filepath.Rel("/"+path.Dir(db.Dir()), "/"+db.CommittedDir())
	if err != nil {
		return err
	}
	v := &varRules{
		tree: tree, names: names, rules: rules, from: from, warn: warn,
		lasting: []string{"L /" + db.Dir() + " - - - - " + link},
		once:    map[string]string{}, dirs: map[string]string{}, linked: map[uint64][]string{},
		owners: map[string]uint32{}, refused: map[string]bool{},
	}
	root := filepath.Join(tree, machine.Factory)
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		i, err := v.item(p, "/var"+strings.TrimPrefix(p, root))
		if err == nil {
			err = v.add(i)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("make rules for /var: %w", err)
	}
	if len(v.faults) > 0 {
		return errors.New("this /var cannot be made on a machine:\n  " + strings.Join(v.faults, "\n  "))
	}
	v.tellLosses()
	if err := v.write(); err != nil {
		return err
	}
	for _, p := range v.remove {
		if err := os.Remove(p); err != nil {
			return err
		}
	}
	if err := pruneDirs(root); err != nil {
		return err
	}
	// What is not for everybody in /var is not here either, and a setuid bit
	// that was taken away there does nothing here.
	if err := os.Chmod(root, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (v *varRules) item(p, name string) (item, error) {
	info, err := os.Lstat(p)
	if err != nil {
		return item{}, err
	}
	st := info.Sys().(*syscall.Stat_t)
	i := item{name: name, info: info, path: p, owner: [2]string{treefs.OwnerName(v.names.Users, st.Uid), treefs.OwnerName(v.names.Groups, st.Gid)}}
	switch info.Mode().Type() {
	case fs.ModeSymlink:
		i.target, err = os.Readlink(p)
	case fs.ModeDir, 0:
	default:
		return i, fmt.Errorf("%s is neither file, directory nor link", name)
	}
	return i, err
}

// byFeature reports whether a feature had a hand in a path of /var, by that name
// or by the one at the top.
func (v *varRules) byFeature(name string) bool {
	rel := strings.TrimPrefix(name, "/")
	if v.from.ByFeature(rel) {
		return true
	}
	for _, l := range machine.TopLinks {
		if rest, ok := strings.CutPrefix(rel, l.Content); ok && l.Content != "" && (rest == "" || rest[0] == '/') && v.from.ByFeature(l.Name+rest) {
			return true
		}
	}
	return false
}

// Structural reports that a directory is made at each boot, so that emptied caches
// and logs work again.
func Structural(name string) bool {
	if path.Dir(name) == "/var" {
		return true
	}
	for _, dir := range []string{"/var/cache/", "/var/log/", "/var/tmp/"} {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// add makes the rules for an item.
func (v *varRules) add(i item) error {
	featured := v.byFeature(i.name)
	if i.kind() != 'd' && featured {
		if r, how := v.rules.undoes(i); how != "" {
			v.warn("%s comes from a feature, but %s %s", i.name, r, how)
		}
	}
	v.reach(i, featured)
	line := v.line(i)
	made, lasting := v.standing(i, featured)
	if made {
		if i.kind() != 'd' {
			v.remove = append(v.remove, i.path)
		}
		return nil
	}
	if i.kind() == 'L' {
		v.remove = append(v.remove, i.path)
	}
	extra, err := v.extras(i)
	if err != nil {
		return err
	}
	if i.kind() == 'd' && (treefs.Permissions(i.info.Mode()) != 0o755 || i.owner != [2]string{"root", "root"}) {
		v.dirs[i.name] = line
	}
	if i.kind() != 'C' && (lasting || Structural(i.name)) {
		v.lasting = append(v.lasting, line)
		line = ""
	}
	if line == "" && (extra == "" || !featured) {
		return nil
	}
	v.once[i.name] = v.parents(i.name) + line + "\n" + extra
	return nil
}

// line is the rule that makes an item, and leaves alone what is there.
func (v *varRules) line(i item) string {
	name := format.EscapeTmpfiles(i.name)
	switch i.kind() {
	case 'd':
		return fmt.Sprintf("d %s :%04o :%s :%s -", name, treefs.Permissions(i.info.Mode()), i.owner[0], i.owner[1])
	case 'L':
		return "L " + name + " - - - - " + format.EscapeTmpfiles(i.target)
	}
	return "C " + name + " - - - -"
}

// parents are the rules for directories on the way that a rule must not make
// with the usual mode and owner, should they have been deleted.
func (v *varRules) parents(name string) string {
	text := ""
	for dir := path.Dir(name); dir != "/var"; dir = path.Dir(dir) {
		if line := v.dirs[dir]; line != "" && !Structural(dir) {
			text = line + "\n" + text
		}
	}
	return text
}

// standing looks at the rules that the tree has for the item's path. made says
// that nothing of ours is needed; lasting that ours must hold at each boot, as
// the other would undo it.
func (v *varRules) standing(i item, featured bool) (made, lasting bool) {
	for _, r := range v.rules.byPath[i.name] {
		switch {
		case r.makes(i):
			return true, false
		case !r.always() || strings.IndexByte("dDvqQfFCLpcb", r.Type) < 0:
			continue
		case i.kind() == 'd' && r.isDir(), i.kind() == 'L' && r.Type == 'L':
			// Packages make their directories and links by their rules. A feature
			// that has given one another owner, mode or target means it.
			return !featured, true
		case i.kind() != 'C':
			lasting = true
		}
		if featured && r.file < machine.FirstRules && i.kind() == 'C' {
			v.warn("%s comes from a feature, but %s is read before the file that Treewright writes: rename that file", i.name, r)
		}
	}
	return false, lasting
}

// reach finds what systemd-tmpfiles refuses to make: what is in somebody's
// directory in which there is a directory of somebody else, on the way to it. The first
// could have put anything in the place of the second.
func (v *varRules) reach(i item, featured bool) {
	if i.kind() == 'd' {
		v.owners[i.name] = i.info.Sys().(*syscall.Stat_t).Uid
	}
	for dir := path.Dir(i.name); dir != "/var"; dir = path.Dir(dir) {
		above := path.Dir(dir)
		if v.owners[above] == 0 || v.owners[above] == v.owners[dir] || v.refused[dir] {
			continue
		}
		v.refused[dir] = true
		text := fmt.Sprintf("%s belongs to %s, and is in %s, which belongs to %s: systemd-tmpfiles would not make anything in it; give both the same owner, for example by file.include.stat",
			dir, treefs.OwnerName(v.names.Users, v.owners[dir]), above, treefs.OwnerName(v.names.Users, v.owners[above]))
		if featured || v.byFeature(dir) || v.byFeature(above) {
			v.faults = append(v.faults, text)
		} else {
			v.warn("%s", text)
		}
	}
}

// write writes the files of rules.
func (v *varRules) write() error {
	dir := filepath.Join(v.tree, "usr/lib/tmpfiles.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	slices.Sort(v.lasting)
	text := "# Made by Treewright: what /var has at each boot.\n" + strings.Join(v.lasting, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(dir, machine.OwnRules), []byte(text), 0o644); err != nil {
		return err
	}
	for name, rules := range v.once {
		file := firstRulesFile(name)
		text := fmt.Sprintf("# Made by Treewright: the first content of %q, made once. To have it\n# again after it was deleted, remove %s%s\n%sL %s%s - - - - /dev/null\n",
			name, masks, file, strings.TrimLeft(rules, "\n"), masks, file)
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// firstRulesFile names the file that has the rules for a path of /var.
func firstRulesFile(name string) string {
	sum := sha256.Sum256([]byte(name))
	return machine.FirstRules + hex.EncodeToString(sum[:8]) + ".conf"
}

// pruneDirs removes empty directories below root, and root itself if it is one.
func pruneDirs(root string) error {
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
	for _, dir := range slices.Backward(dirs) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			if err := os.Remove(dir); err != nil {
				return err
			}
		}
	}
	return nil
}
