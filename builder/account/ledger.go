package account

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Ledger holds the numbers that accounts have for ever, by name.
type Ledger struct {
	Users  map[string]uint32 `json:"users,omitempty"`
	Groups map[string]uint32 `json:"groups,omitempty"`
	// Primary is the number of a user's first group, for [Ledger.Text] alone.
	Primary map[string]uint32 `json:"primary,omitempty"`
}

// Empty reports whether nothing is in the ledger.
func (l Ledger) Empty() bool { return len(l.Users) == 0 && len(l.Groups) == 0 }

// Equal reports whether both hold the same.
func (l Ledger) Equal(other Ledger) bool {
	return maps.Equal(l.Users, other.Users) && maps.Equal(l.Groups, other.Groups)
}

func empty() Ledger {
	return Ledger{Users: map[string]uint32{}, Groups: map[string]uint32{}, Primary: map[string]uint32{}}
}

// Merge returns a ledger with all that both hold. Where they differ, other
// wins.
func (l Ledger) Merge(other Ledger) Ledger {
	out := empty()
	for _, from := range []Ledger{l, other} {
		maps.Copy(out.Users, from.Users)
		maps.Copy(out.Primary, from.Primary)
		maps.Copy(out.Groups, from.Groups)
	}
	return out
}

// Of returns the ledger of a tree's accounts.
func Of(users []User, groups []Group) Ledger {
	l := empty()
	for _, u := range users {
		l.Users[u.Name], l.Primary[u.Name] = u.UID, u.GID
	}
	for _, g := range groups {
		l.Groups[g.Name] = g.GID
	}
	return l
}

// FromSysusers returns the ledger of lines with fixed numbers.
func FromSysusers(lines []Line) Ledger {
	l := empty()
	for _, line := range lines {
		if uid, ok := line.UID(); ok {
			l.Users[line.Name], l.Primary[line.Name] = uid, line.primary(uid)
		}
		if gid, ok := line.GID(); ok {
			l.Groups[line.Name] = gid
		}
	}
	return l
}

// Text writes the ledger in the syntax of sysusers.d(5), groups first, sorted by
// name.
func (l Ledger) Text() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.Groups)) {
		fmt.Fprintf(&b, "g %s %d\n", name, l.Groups[name])
	}
	for _, name := range slices.Sorted(maps.Keys(l.Users)) {
		fmt.Fprintf(&b, "u %s %d:%d\n", name, l.Users[name], l.Primary[name])
	}
	return b.String()
}

// Fixed is a number that something in a tree insists on.
type Fixed struct {
	ID uint32
	// By describes what: a file, or a rule, for messages.
	By string
}

// Tree is the accounts of a tree, and what insists on which numbers.
type Tree struct {
	Users                   []User
	Groups                  []Group
	FixedUsers, FixedGroups map[string]Fixed
}

// Conflict is a number that cannot be kept.
type Conflict struct {
	// What is "user" or "group", Name the account's in the tree.
	What, Name string
	// Want is the number that the ledger has for the account, or, if Owner is
	// set, the one that the account insists on and that is Owner's.
	Want, Has uint32
	Owner, By string
}

func (c Conflict) Error() string {
	if c.Owner != "" {
		return fmt.Sprintf("the %s %s must have the number %d (%s), but in this history or in the tree's file accounts that is the number of %s", c.What, c.Name, c.Want, c.By, c.Owner)
	}
	return fmt.Sprintf("the %s %s has the number %d in this history or in the tree's file accounts, but must have %d here (%s)", c.What, c.Name, c.Want, c.Has, c.By)
}

// The ranges in which numbers are given out on demand (Debian policy 9.2.2).
// All others are somebody's by agreement and never changed.
//
// Programs give them out from the ends: useradd and systemd-sysusers count down
// from 999, adduser up from 100, all of them up from 1000 for people. They do on
// machines too, for accounts of the machine's own. So what a later commit
// brings gets numbers where no machine has come to: those of accounts from 199
// down (extensions have 200 to 899), of people from 50000 up.
const (
	firstSystem, lastSystem = 100, 999
	firstUser, lastUser     = 1000, 59999
	laterSystem, laterUser  = 150, 50000
	laterSystems            = 50
)

func onDemand(id uint32) bool { return id >= firstSystem && id <= lastUser }

// Assignable reports whether an account can be given the number: not root's,
// nobody's, or one of the two that mean no account (systemd's
// UIDS-GIDS.md).
func Assignable(id uint32) bool { return id != 0 && id != 65534 && id != 65535 && id != 1<<32-1 }

// later reports whether a number is one for accounts that later commits bring.
func later(id uint32) bool {
	return id >= laterSystem && id < laterSystem+laterSystems || id >= laterUser && id <= lastUser
}

// Renumber describes which numbers of the tree have to become which others for the
// ledger to hold: users, groups, old to new. An account that the ledger does
// not know keeps its number unless that is another's, or, where follows says
// that there are commits before, it could be one of a machine's own account's.
// Conflicts are what cannot be had.
func (l Ledger) Renumber(t Tree, follows bool) (users, groups map[uint32]uint32, conflicts []Conflict) {
	u := chooser{follows: follows, what: "user", ledger: l.Users, fixed: t.FixedUsers, target: map[string]uint32{}, taken: map[uint32]string{}}
	g := chooser{follows: follows, what: "group", ledger: l.Groups, fixed: t.FixedGroups, target: map[string]uint32{}, taken: map[uint32]string{}}
	for _, user := range t.Users {
		u.accounts = append(u.accounts, account{user.Name, user.UID})
	}
	for _, group := range t.Groups {
		g.accounts = append(g.accounts, account{group.Name, group.GID})
	}
	u.keep()
	g.keep()
	choosePairs(&u, &g)
	u.chooseRest()
	g.chooseRest()
	return u.changes(), g.changes(), append(u.conflicts, g.conflicts...)
}

type account struct {
	name string
	id   uint32
}

// chooser gives numbers to the accounts of one kind.
type chooser struct {
	follows   bool
	what      string
	accounts  []account
	ledger    map[string]uint32
	fixed     map[string]Fixed
	target    map[string]uint32 // chosen so far
	taken     map[uint32]string // by whom
	open      []account         // whose number is another's
	conflicts []Conflict
}

// keep gives the numbers that are not to be chosen: the ledger's, fixed ones,
// and those in the way of nobody.
func (c *chooser) keep() {
	for _, name := range slices.Sorted(maps.Keys(c.ledger)) {
		c.taken[c.ledger[name]] = name
	}
	var rest []account
	for _, a := range c.accounts {
		want, known := c.ledger[a.name]
		fixed, must := c.must(a)
		switch {
		case known && must && fixed.ID != want:
			c.conflicts = append(c.conflicts, Conflict{What: c.what, Name: a.name, Want: want, Has: fixed.ID, By: fixed.By})
		case known:
			c.target[a.name] = want
		case must:
			if owner, ok := c.taken[fixed.ID]; ok && owner != a.name && inLedger(c.ledger, owner) {
				c.conflicts = append(c.conflicts, Conflict{What: c.what, Name: a.name, Want: fixed.ID, Owner: owner, By: fixed.By})
				continue
			}
			c.target[a.name] = fixed.ID
			c.taken[fixed.ID] = a.name
		default:
			rest = append(rest, a)
		}
	}
	for _, a := range rest {
		if owner, ok := c.taken[a.id]; ok && owner != a.name || c.follows && !later(a.id) {
			c.open = append(c.open, a)
			continue
		}
		c.target[a.name] = a.id
		c.taken[a.id] = a.name
	}
	// As they were given out: system accounts count down.
	slices.SortStableFunc(c.open, func(a, b account) int { return cmp.Or(cmp.Compare(b.id, a.id), strings.Compare(a.name, b.name)) })
}

func inLedger(l map[string]uint32, name string) bool { _, ok := l[name]; return ok }

// must describes what insists on an account's number.
func (c *chooser) must(a account) (Fixed, bool) {
	if !onDemand(a.id) {
		return Fixed{a.id, "a number outside of the ranges that are assigned automatically"}, true
	}
	f, ok := c.fixed[a.name]
	return f, ok
}

// choosePairs gives a user and the group of the same name and number another
// number together.
func choosePairs(u, g *chooser) {
	for _, a := range slices.Clone(u.open) {
		i := slices.IndexFunc(g.open, func(b account) bool { return b == a })
		at, settled := g.target[a.name]
		switch {
		case i >= 0:
			id := u.free(a.id, u.taken, g.taken)
			u.set(a, id)
			g.set(a, id)
		case settled && at == a.id && !inLedger(g.ledger, a.name) && !inFixed(g.fixed, a.name):
			// The group could stay, but not with its user.
			id := u.free(a.id, u.taken, g.taken)
			delete(g.taken, at)
			u.set(a, id)
			g.set(a, id)
		}
	}
}

func inFixed(f map[string]Fixed, name string) bool { _, ok := f[name]; return ok }

func (c *chooser) chooseRest() {
	for _, a := range slices.Clone(c.open) {
		c.set(a, c.free(a.id, c.taken))
	}
}

func (c *chooser) set(a account, id uint32) {
	c.target[a.name] = id
	c.taken[id] = a.name
	c.open = slices.DeleteFunc(c.open, func(b account) bool { return b.name == a.name })
}

// free returns a number that nobody has, of the range that like is in.
func (c *chooser) free(like uint32, taken ...map[uint32]string) uint32 {
	isFree := func(id uint32) bool {
		return !slices.ContainsFunc(taken, func(t map[uint32]string) bool { _, ok := t[id]; return ok })
	}
	last, first := uint32(lastSystem), uint32(firstUser)
	if c.follows {
		last, first = laterSystem+laterSystems-1, laterUser
	}
	if like <= lastSystem {
		for id := last; id >= firstSystem; id-- {
			if isFree(id) {
				return id
			}
		}
	}
	for !isFree(first) {
		first++
	}
	return first
}

// changes returns old number to new. Names that share a number and part are
// conflicts.
func (c *chooser) changes() map[uint32]uint32 {
	changes, first := map[uint32]uint32{}, map[uint32]account{}
	for _, a := range c.accounts {
		to, ok := c.target[a.name]
		if !ok {
			continue
		}
		if other, shared := first[a.id]; shared && c.target[other.name] != to {
			c.conflicts = append(c.conflicts, Conflict{What: c.what, Name: a.name, Want: to, Has: a.id, By: "it shares the number with " + other.name})
			continue
		}
		first[a.id] = a
		if to != a.id {
			changes[a.id] = to
		}
	}
	return changes
}
