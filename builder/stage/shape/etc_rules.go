package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/stage/origin"
)

// warnOfEtcRules tells of files in /etc that come from a feature, and that the
// tree's own tmpfiles.d rules replace or remove at each boot. Debian's systemd
// does so with /etc/vconsole.conf, for one.
func warnOfEtcRules(tree string, from *origin.Origins, warn func(string, ...any)) error {
	rules, err := readRules(tree)
	if err != nil {
		return err
	}
	files := maps.Clone(from.Brought)
	maps.Copy(files, from.Scripted)
	for _, rel := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(rel, "etc/") {
			continue
		}
		path := filepath.Join(tree, rel)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		if err != nil {
			return fmt.Errorf("see what rules do to /%s: %w", rel, err)
		}
		i := item{name: "/" + rel, info: info, owner: [2]string{"root", "root"}, path: path}
		if i.kind() == 'L' {
			if i.target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		// What is copied only where there is nothing leaves this alone.
		if r, how := rules.undoes(i); how != "" && r.Type != 'C' {
			warn("%s comes from a feature, but %s %s", i.name, r, how)
		}
	}
	return nil
}
