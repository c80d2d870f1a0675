package account

import (
	"slices"
	"strings"
	"testing"
)

// FuzzParseSysusers: each line is read as it stands or a fault, with the number that
// it has in the file, and a field that is written is read as the same text.
func FuzzParseSysusers(f *testing.F) {
	f.Add("g messages 990\nu postfix 991:990 \"Post Fix\" /var/spool - \n# c\nm a b\n")
	f.Add("u! a\\ b 'c d' \"x\nr - 500-600")
	f.Add("u \"\" -\n\\\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines, faults := ParseSysusers(text)
		all := strings.Split(text, "\n")
		seen := map[int]bool{}
		next := 0
		for _, l := range lines {
			for next < len(all) && strings.TrimSpace(all[next]) != strings.TrimSpace(l.Text) {
				next++
			}
			if next++; next > len(all) {
				t.Errorf("%q has no further line %q", text, l.Text)
			}
			l.UID()
			l.GID()
		}
		for _, fault := range faults {
			if fault.Reason == "" || seen[fault.Number] || fault.Number < 1 || fault.Number > len(all) {
				t.Errorf("%q: fault %+v", text, fault)
			}
			seen[fault.Number] = true
		}
		for _, s := range all {
			// An empty one is written as "-", and systemd reads %% as %.
			if s == "" || strings.ToValidUTF8(s, "") != s {
				continue
			}
			want := []string{strings.ReplaceAll(s, "%", "%%")}
			if got, err := words(field(s)); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q is written as %s and read as %q, %v", s, field(s), got, err)
			}
		}
	})
}

// FuzzParsePasswd: accounts have names, and what is not an account's line adds none.
func FuzzParsePasswd(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/bash\n::1:1::/:\nx:y:-1:z:::\n", "root:x:0:\nusers:x:100:a,b,,c\n+\n")
	f.Fuzz(func(t *testing.T, passwd, group string) {
		users, groups := ParsePasswd(passwd), ParseGroup(group)
		if len(users) > strings.Count(passwd, ":")/6 || len(groups) > strings.Count(group, ":")/3 {
			t.Errorf("%d users of %q, %d groups of %q", len(users), passwd, len(groups), group)
		}
		for _, u := range users {
			if u.Name == "" || strings.ContainsAny(u.Name+u.GECOS+u.Home+u.Shell, ":\n") {
				t.Errorf("a user %+v of %q", u, passwd)
			}
		}
		for _, g := range groups {
			if g.Name == "" || strings.ContainsAny(g.Name, ":\n") || strings.ContainsAny(strings.Join(g.Members, ""), ":,\n") || slices.Contains(g.Members, "") {
				t.Errorf("a group %+v of %q", g, group)
			}
		}
	})
}
