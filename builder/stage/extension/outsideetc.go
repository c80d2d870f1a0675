package extension

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treefs"
)

// carryAccess gives a directory that the machine has in /etc the owner and mode that packages want, once. A service that runs as
// another user could not read the files in it without this, such as the key of its certificate below /etc/ssl/private.
func (o *outside) carryAccess(c change) error {
	info, err := os.Lstat(filepath.Join(o.trees.extended, c.path))
	if err != nil {
		return err
	}
	user, group, _ := strings.Cut(o.names.Of(info), " ")
	o.rule(c.path, fmt.Sprintf("z %s %04o %s %s -", format.EscapeTmpfiles("/"+c.path), treefs.Permissions(info.Mode()), user, group))
	return nil
}

// carryShells adds new login shells to the machine's list. Shells that packages remove stay in the list.
func (o *outside) carryShells(c change) error {
	var lists [2][]string
	for i, tree := range []string{o.trees.system, o.trees.extended} {
		text, err := os.ReadFile(filepath.Join(tree, c.path))
		if err != nil {
			return err
		}
		lists[i] = strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	for _, shell := range lists[1] {
		if strings.HasPrefix(shell, "/") && !slices.Contains(lists[0], shell) {
			o.rule(c.path, "w+ /"+c.path+" - - - - "+format.EscapeTmpfiles(shell)+`\n`)
		}
	}
	return nil
}

// showChanged keeps the packages' version of a file of the machine below [Factory], so that the machine's owner can read it.
func (o *outside) showChanged(c change) {
	shown := Factory(o.name) + "/" + c.path
	o.leaving = append(o.leaving, leaving{path: shown, from: c.path})
	o.notes = append(o.notes, fmt.Sprintf("/%s%s is not changed, as it belongs to the machine; with the changes of the packages it is /%s", c.path, o.trees.ownerOf(c.path), shown))
}
