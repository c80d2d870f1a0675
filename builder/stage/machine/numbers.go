package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/account"
)

// ReadNumbers returns the names of the accounts of a tree whose /etc is etc, by
// their numbers.
func ReadNumbers(etc string) (users, groups map[uint32]string) {
	users, groups = map[uint32]string{}, map[uint32]string{}
	// Without the files the list is empty.
	passwd, _ := os.ReadFile(filepath.Join(etc, "passwd"))
	group, _ := os.ReadFile(filepath.Join(etc, "group"))
	for _, u := range account.ParsePasswd(string(passwd)) {
		users[u.UID] = u.Name
	}
	for _, g := range account.ParseGroup(string(group)) {
		groups[g.GID] = g.Name
	}
	return users, groups
}

// NoAccount describes which of an owner and a group, names or numbers, the tree has no
// account for; of numbers nothing is asked.
func NoAccount(tree, user, group string) string {
	users, groups := ReadNumbers(filepath.Join(tree, "etc"))
	for _, a := range []struct {
		kind, name string
		have       map[uint32]string
	}{{"user", user, users}, {"group", group, groups}} {
		_, err := strconv.ParseUint(strings.TrimPrefix(a.name, "+"), 10, 32)
		known := false
		for _, name := range a.have {
			known = known || name == a.name
		}
		if err != nil && !known && len(a.have) > 0 {
			return fmt.Sprintf("the tree has no %s %q", a.kind, a.name)
		}
	}
	return ""
}
