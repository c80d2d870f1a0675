package account

import (
	"slices"
	"strconv"
	"strings"
)

// User is a line of passwd(5), without the password.
type User struct {
	Name               string
	UID, GID           uint32
	GECOS, Home, Shell string
}

// Group is a line of group(5), without the password.
type Group struct {
	Name    string
	GID     uint32
	Members []string
}

// ParsePasswd reads passwd(5). Lines that are not an account's are passed over, as
// the C library does.
func ParsePasswd(text string) []User {
	var users []User
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 7 || f[0] == "" {
			continue
		}
		uid, err := number(f[2])
		gid, err2 := number(f[3])
		if err != nil || err2 != nil {
			continue
		}
		users = append(users, User{Name: f[0], UID: uid, GID: gid, GECOS: f[4], Home: f[5], Shell: f[6]})
	}
	return users
}

// ParseGroup reads group(5), as [ParsePasswd] does its file.
func ParseGroup(text string) []Group {
	var groups []Group
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 4 || f[0] == "" {
			continue
		}
		gid, err := number(f[2])
		if err != nil {
			continue
		}
		g := Group{Name: f[0], GID: gid}
		for m := range strings.SplitSeq(f[3], ",") {
			if m != "" {
				g.Members = append(g.Members, m)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func number(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

// Rewrite replaces numbers in the text of a passwd file (passwd true: the third
// field by users, the fourth by groups) or of a group file (the third field by
// groups). Everything else stays as it is, to the byte.
func Rewrite(text string, passwd bool, users, groups map[uint32]uint32) string {
	fields := map[int]map[uint32]uint32{2: groups}
	if passwd {
		fields = map[int]map[uint32]uint32{2: users, 3: groups}
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Split(line, ":")
		for i, ids := range fields {
			if len(f) <= i {
				continue
			}
			if old, err := number(f[i]); err == nil {
				if id, ok := ids[old]; ok {
					f[i] = strconv.FormatUint(uint64(id), 10)
				}
			}
		}
		b.WriteString(strings.Join(f, ":"))
	}
	return b.String()
}

// Memberships returns "USER GROUP" for each member of each group who is a user,
// sorted.
func Memberships(users []User, groups []Group) [][2]string {
	known := map[string]bool{}
	for _, u := range users {
		known[u.Name] = true
	}
	var list [][2]string
	for _, g := range groups {
		for _, m := range g.Members {
			if known[m] {
				list = append(list, [2]string{m, g.Name})
			}
		}
	}
	slices.SortFunc(list, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	return slices.Compact(list)
}
