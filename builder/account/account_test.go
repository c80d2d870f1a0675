package account

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/bash\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n" +
		"tcpdump:x:998:998::/nonexistent:/usr/sbin/nologin\npostfix:x:997:996:Post, fix:/var/spool/postfix:/usr/sbin/nologin\nbroken\nodd:x:nine:1::/:/x\n"
	group = "root:x:0:\nadm:x:4:tcpdump,nobody-there\ntcpdump:x:998:\npostfix:x:996:\npostdrop:x:995:\nnogroup:x:65534:\n"
)

func TestParse(t *testing.T) {
	users, groups := ParsePasswd(passwd), ParseGroup(group)
	if len(users) != 4 || users[3] != (User{"postfix", 997, 996, "Post, fix", "/var/spool/postfix", "/usr/sbin/nologin"}) {
		t.Errorf("users %+v", users)
	}
	if len(groups) != 6 || !reflect.DeepEqual(groups[1], Group{"adm", 4, []string{"tcpdump", "nobody-there"}}) {
		t.Errorf("groups %+v", groups)
	}
}

// TestSysusers: what is written is read again as the same numbers.
func TestSysusers(t *testing.T) {
	users, groups := ParsePasswd(passwd), ParseGroup(group)
	users = append(users, User{Name: "odd", UID: 64030, GID: 0, GECOS: `50% "of" a \ path`, Home: "/home/a b", Shell: ""})
	text := Sysusers(users, groups)
	for _, want := range []string{
		"g postdrop 995", "u postfix 997:996 \"Post, fix\" /var/spool/postfix /usr/sbin/nologin", "u _apt 42:65534 - /nonexistent /usr/sbin/nologin", "m tcpdump adm",
		`u odd 64030:0 "50%% \"of\" a \\ path" "/home/a b" -`,
	} {
		if !slices.Contains(text, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(text, "\n"))
		}
	}
	if slices.ContainsFunc(text, func(l string) bool { return strings.Contains(l, "nobody-there") }) {
		t.Error("somebody who is not a user is a member")
	}
	lines, faults := ParseSysusers(strings.Join(text, "\n"))
	if len(faults) > 0 {
		t.Errorf("faults %+v", faults)
	}
	if got := FromSysusers(lines); !got.Equal(Of(users, groups)) {
		t.Errorf("read again: %+v", got)
	}
	// And the ledger's own text.
	l := Of(users, groups)
	lines, _ = ParseSysusers(l.Text())
	if got := FromSysusers(lines); !reflect.DeepEqual(got, l) {
		t.Errorf("the ledger read again: %+v, not %+v", got, l)
	}
}

func TestParseSysusers(t *testing.T) {
	lines, faults := ParseSysusers("# no\n\n u  redis 500 \"Re dis\" /var\n;no\ng ssl-cert -\nu x 5:-\nu \"open\nlonely\nm a b\nu bin 2:2\n")
	if len(faults) != 2 || faults[0].Number != 7 || faults[1].Number != 8 {
		t.Errorf("faults %+v", faults)
	}
	l := FromSysusers(lines)
	want := Ledger{Users: map[string]uint32{"redis": 500, "x": 5, "bin": 2}, Groups: map[string]uint32{"redis": 500}, Primary: map[string]uint32{"redis": 500, "x": 5, "bin": 2}}
	if !reflect.DeepEqual(l, want) {
		t.Errorf("%+v, want %+v", l, want)
	}
}

func TestRewrite(t *testing.T) {
	users, groups := map[uint32]uint32{998: 997, 997: 998}, map[uint32]uint32{996: 500}
	got := Rewrite(passwd, true, users, groups)
	want := strings.NewReplacer("tcpdump:x:998:998", "tcpdump:x:997:998", "postfix:x:997:996", "postfix:x:998:500").Replace(passwd)
	if got != want {
		t.Errorf("passwd:\n%s", got)
	}
	if got := Rewrite(group, false, users, groups); got != strings.Replace(group, "postfix:x:996", "postfix:x:500", 1) {
		t.Errorf("group:\n%s", got)
	}
}

// system is a tree whose accounts have a group of their name and number.
func system(ids map[string]uint32) Tree {
	var t Tree
	for name, id := range ids {
		t.Users = append(t.Users, User{Name: name, UID: id, GID: id})
		t.Groups = append(t.Groups, Group{Name: name, GID: id})
	}
	// In the order of the files, which is that in which accounts are made.
	slices.SortFunc(t.Users, func(a, b User) int { return int(b.UID) - int(a.UID) })
	slices.SortFunc(t.Groups, func(a, b Group) int { return int(b.GID) - int(a.GID) })
	return t
}

func ledger(ids map[string]uint32) Ledger {
	t := system(ids)
	return Of(t.Users, t.Groups)
}

func TestRenumber(t *testing.T) {
	for name, tc := range map[string]struct {
		ledger, tree, want map[string]uint32
	}{
		"nothing known":       {nil, map[string]uint32{"a": 999, "b": 998}, map[string]uint32{"a": 999, "b": 998}},
		"one package less":    {map[string]uint32{"a": 999, "b": 998, "c": 997}, map[string]uint32{"b": 999, "c": 998}, map[string]uint32{"b": 998, "c": 997}},
		"one package more":    {map[string]uint32{"b": 999, "c": 998}, map[string]uint32{"a": 999, "b": 998, "c": 997}, map[string]uint32{"b": 999, "c": 998, "a": 997}},
		"two exchanged":       {map[string]uint32{"a": 999, "b": 998}, map[string]uint32{"a": 998, "b": 999}, map[string]uint32{"a": 999, "b": 998}},
		"one returns":         {map[string]uint32{"a": 999, "b": 998, "gone": 997}, map[string]uint32{"a": 998, "b": 997, "gone": 999}, map[string]uint32{"a": 999, "b": 998, "gone": 997}},
		"never another's":     {map[string]uint32{"gone": 999}, map[string]uint32{"new": 999}, map[string]uint32{"new": 998}},
		"people too":          {map[string]uint32{"anna": 1000}, map[string]uint32{"bob": 1000}, map[string]uint32{"bob": 1001}},
		"people keep":         {map[string]uint32{"anna": 1000, "bob": 1001}, map[string]uint32{"bob": 1000, "anna": 1001}, map[string]uint32{"anna": 1000, "bob": 1001}},
		"static ones stay":    {map[string]uint32{"root": 0, "b": 999}, map[string]uint32{"root": 0, "man": 6, "b": 999}, map[string]uint32{"root": 0, "man": 6, "b": 999}},
		"full to the brim":    {map[string]uint32{"a": 999, "b": 998, "c": 996}, map[string]uint32{"x": 999, "y": 998, "z": 996}, map[string]uint32{"x": 997, "y": 995, "z": 994}},
		"new ones in the way": {map[string]uint32{"a": 997}, map[string]uint32{"x": 999, "a": 998, "y": 997}, map[string]uint32{"x": 999, "a": 997, "y": 998}},
	} {
		tree := system(tc.tree)
		users, groups, conflicts := ledger(tc.ledger).Renumber(tree, false)
		if len(conflicts) > 0 {
			t.Errorf("%s: %v", name, conflicts)
		}
		for _, ids := range []struct {
			what string
			to   map[uint32]uint32
		}{{"user", users}, {"group", groups}} {
			for account, old := range tc.tree {
				got, moved := ids.to[old]
				if !moved {
					got = old
				}
				if got != tc.want[account] {
					t.Errorf("%s: %s %s gets %d, want %d", name, ids.what, account, got, tc.want[account])
				}
			}
		}
	}
}

// TestLaterAccounts: numbers of what a later commit brings are not those that
// machines give to accounts of their own.
func TestLaterAccounts(t *testing.T) {
	l := ledger(map[string]uint32{"a": 999, "b": 998, "anna": 1000})
	tree := system(map[string]uint32{"a": 999, "b": 998, "new": 997, "redis": 101, "anna": 1000, "bob": 1001, "man": 6, "kept": 199})
	users, groups, conflicts := l.Renumber(tree, true)
	want := map[uint32]uint32{997: 198, 101: 197, 1001: 50000}
	if len(conflicts) > 0 || !reflect.DeepEqual(users, want) || !reflect.DeepEqual(groups, want) {
		t.Errorf("users %v, groups %v, conflicts %v", users, groups, conflicts)
	}
}

// TestRenumberApart: numbers of users and groups are two things.
func TestRenumberApart(t *testing.T) {
	l := Ledger{Users: map[string]uint32{"postfix": 990}, Groups: map[string]uint32{"postfix": 980, "postdrop": 979}}
	tree := Tree{
		Users:  []User{{Name: "postfix", UID: 999, GID: 999}},
		Groups: []Group{{Name: "postfix", GID: 999}, {Name: "postdrop", GID: 998}, {Name: "docker", GID: 980}},
	}
	users, groups, conflicts := l.Renumber(tree, false)
	if len(conflicts) > 0 || !reflect.DeepEqual(users, map[uint32]uint32{999: 990}) || !reflect.DeepEqual(groups, map[uint32]uint32{999: 980, 998: 979, 980: 999}) {
		t.Errorf("users %v, groups %v, conflicts %v", users, groups, conflicts)
	}
}

func TestConflicts(t *testing.T) {
	insists := func(name string, id uint32) map[string]Fixed {
		return map[string]Fixed{name: {id, "/usr/lib/sysusers.d/" + name + ".conf: u " + name}}
	}
	for name, tc := range map[string]struct {
		ledger, tree map[string]uint32
		fixed        map[string]Fixed
		want         string
	}{
		"a number is asked for now":   {map[string]uint32{"redis": 990}, map[string]uint32{"redis": 500}, insists("redis", 500), "user redis has the number 990 in this history"},
		"of one that is gone":         {map[string]uint32{"gone": 500}, map[string]uint32{"redis": 500}, insists("redis", 500), "is the number of gone"},
		"a static one of another":     {map[string]uint32{"gone": 64030}, map[string]uint32{"redis": 64030}, nil, "is the number of gone"},
		"a static one moved":          {map[string]uint32{"man": 6}, map[string]uint32{"man": 13}, nil, "must have 13 here"},
		"what was asked for is given": {nil, map[string]uint32{"redis": 999, "x": 500}, insists("redis", 500), ""},
	} {
		tree := system(tc.tree)
		tree.FixedUsers, tree.FixedGroups = tc.fixed, tc.fixed
		users, _, conflicts := ledger(tc.ledger).Renumber(tree, false)
		if tc.want == "" {
			if len(conflicts) > 0 || !reflect.DeepEqual(users, map[uint32]uint32{999: 500, 500: 999}) {
				t.Errorf("%s: %v, users %v", name, conflicts, users)
			}
			continue
		}
		if len(conflicts) != 2 || !strings.Contains(conflicts[0].Error(), tc.want) || conflicts[1].What != "group" {
			t.Errorf("%s: %v", name, conflicts)
		}
	}
}

// FuzzRenumber: whatever the numbers, nobody in the ledger moves, and no two
// accounts get one number that had two.
func FuzzRenumber(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, []byte{2, 3, 5})
	f.Add([]byte{9, 9, 1}, []byte{1, 1, 200, 201})
	f.Fuzz(func(t *testing.T, known, there []byte) {
		ids := func(b []byte, skip int) map[string]uint32 {
			out, taken := map[string]uint32{}, map[uint32]bool{}
			for i, x := range b {
				id := uint32(100) + uint32(x)*4
				if !taken[id] {
					out[string(rune('a'+(i*skip)%26))+string(rune('a'+i/26%26))] = id
				}
				taken[id] = true
			}
			return out
		}
		l, tree := ids(known, 1), system(ids(there, 3))
		users, _, conflicts := ledger(l).Renumber(tree, false)
		if len(conflicts) > 0 {
			t.Fatal(conflicts)
		}
		owner := map[uint32]string{}
		for _, u := range tree.Users {
			id, ok := users[u.UID]
			if !ok {
				id = u.UID
			}
			if want, known := l[u.Name]; known && id != want {
				t.Errorf("%s: %d, the ledger has %d", u.Name, id, want)
			}
			if other, taken := owner[id]; taken {
				t.Errorf("%s and %s both have %d", u.Name, other, id)
			}
			owner[id] = u.Name
		}
		for name, id := range l {
			if other, taken := owner[id]; taken && other != name {
				t.Errorf("%s has %s's %d", other, name, id)
			}
		}
	})
}

// TestAnyOrder: packages come and go in any order, numbers are given out by
// order as Debian does, and nobody who ever had a number moves.
func TestAnyOrder(t *testing.T) {
	names := strings.Split("abcdefghijklmnop", "")
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var l Ledger
		ever := map[string]uint32{}
		for range 10 {
			natural, next := map[string]uint32{}, uint32(lastSystem)
			for _, i := range random.Perm(len(names)) {
				if random.IntN(2) == 0 {
					natural[names[i]] = next
					next--
				}
			}
			tree := system(natural)
			users, groups, conflicts := l.Renumber(tree, !l.Empty())
			if len(conflicts) > 0 || !reflect.DeepEqual(users, groups) {
				t.Fatalf("seed %d: conflicts %v, users %v, groups %v", seed, conflicts, users, groups)
			}
			for name, old := range natural {
				id, ok := users[old]
				if !ok {
					id = old
				}
				if before, known := ever[name]; known && before != id {
					t.Fatalf("seed %d: %s had %d and gets %d", seed, name, before, id)
				}
				ever[name] = id
			}
			l = l.Merge(ledger(ever))
		}
	}
}

func TestSubordinate(t *testing.T) {
	users := []User{{Name: "anna", UID: 1000}, {Name: "bob", UID: 1001}, {Name: "agent", UID: 990}}
	// anna is gone in one of the two: bob's range stays.
	for text, want := range map[string]string{
		"anna:100000:65536\nbob:165536:65536\n": "anna:100000:65536\nbob:165536:65536\n",
		"bob:100000:65536\n":                    "bob:165536:65536\n",
		"bob:300000:65536\nbob:100000:1000\nagent:100000:65536\nnobody:100000:65536\nx\n": "bob:300000:65536\nbob:100000:1000\nagent:100000:65536\nnobody:100000:65536\nx\n",
	} {
		if got := Subordinate(text, users); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
