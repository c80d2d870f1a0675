package stage

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// accountNames maps the numeric users and groups of a tree to their names.
type accountNames struct{ users, groups map[uint32]string }

// readNames reads a tree's /etc/passwd and /etc/group (passwd(5), group(5)).
func readNames(tree string) (accountNames, error) {
	n := accountNames{users: map[uint32]string{}, groups: map[uint32]string{}}
	for file, into := range map[string]map[uint32]string{"etc/passwd": n.users, "etc/group": n.groups} {
		text, err := os.ReadFile(filepath.Join(tree, file))
		if err != nil {
			return n, fmt.Errorf("read accounts: %w", err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			fields := strings.Split(line, ":")
			if len(fields) < 3 {
				continue
			}
			id, err := strconv.ParseUint(fields[2], 10, 32)
			if err != nil {
				continue
			}
			if _, taken := into[uint32(id)]; !taken {
				into[uint32(id)] = fields[0]
			}
		}
	}
	return n, nil
}

// owner returns "USER GROUP" of a file, by number where there is no name.
func (n accountNames) owner(info fs.FileInfo) string {
	st := info.Sys().(*syscall.Stat_t)
	return nameOf(n.users, st.Uid) + " " + nameOf(n.groups, st.Gid)
}

func nameOf(names map[uint32]string, id uint32) string {
	if name, ok := names[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}
