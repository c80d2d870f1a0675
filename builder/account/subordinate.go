package account

import (
	"strconv"
	"strings"
)

// What useradd(8) gives a user by Debian's login.defs(5).
const (
	firstSubordinate = 100000
	subordinates     = 65536
)

// Subordinate gives the ranges in the text of a subuid(5) or subgid(5) file that
// useradd chose, one after the other, to places that depend on the user's own
// number alone: so they move as little as that. A range of another size, or
// that begins elsewhere, was chosen by somebody and stays.
func Subordinate(text string, users []User) string {
	uids := map[string]uint32{}
	for _, u := range users {
		uids[u.Name] = u.UID
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) == 3 && f[2] == strconv.Itoa(subordinates) {
			start, err := number(f[1])
			uid := uids[f[0]]
			if err == nil && uid >= firstUser && uid <= lastUser && start >= firstSubordinate && (start-firstSubordinate)%subordinates == 0 {
				f[1] = strconv.FormatInt(firstSubordinate+int64(uid-firstUser)*subordinates, 10)
				line = strings.Join(f, ":") + "\n"
			}
		}
		b.WriteString(line)
	}
	return b.String()
}
