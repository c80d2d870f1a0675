package treefs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Owners maps the numeric users and groups of a tree to their names.
type Owners struct{ Users, Groups map[uint32]string }

// ReadOwners reads a tree's /etc/passwd and /etc/group (passwd(5), group(5)).
func ReadOwners(tree string) (Owners, error) {
	n := Owners{Users: map[uint32]string{}, Groups: map[uint32]string{}}
	for file, into := range map[string]map[uint32]string{"etc/passwd": n.Users, "etc/group": n.Groups} {
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

// Of returns "USER GROUP" of a file, by number without a name.
func (n Owners) Of(info fs.FileInfo) string {
	st := info.Sys().(*syscall.Stat_t)
	return OwnerName(n.Users, st.Uid) + " " + OwnerName(n.Groups, st.Gid)
}

// OwnerName is an owner's name, or its number without a name.
func OwnerName(names map[uint32]string, id uint32) string {
	if name, ok := names[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}
