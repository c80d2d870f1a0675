package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/treewright/treewright/builder/account"
)

// AccountsFile is where a tree says which numbers accounts have, for flavours
// without a common history.
const AccountsFile = "accounts"

// Ledger returns the numbers that the tree gives to accounts.
func (p *Project) Ledger() account.Ledger {
	lines := make([]account.Line, len(p.Accounts))
	for i, a := range p.Accounts {
		lines[i] = a.Line
	}
	return account.FromSysusers(lines)
}

func (l *loader) loadAccounts() {
	if _, err := fs.Lstat(l.fsys, AccountsFile); errors.Is(err, fs.ErrNotExist) || !l.sound(AccountsFile) {
		return
	}
	src, ok := l.readText(AccountsFile)
	if !ok {
		return
	}
	seen := map[string]Account{}
	list := ParseList(AccountsFile, src)
	l.count(AccountsFile, len(list))
	for _, raw := range list {
		lines, faults := account.ParseSysusers(raw.Text)
		for _, f := range faults {
			l.say(Fault(raw.Range, "Cannot read line", "A line is TYPE NAME NUMBER, as in \"g messages 990\", but in this one %s.", f.Reason))
		}
		for _, line := range lines {
			a := Account{line, raw.Range}
			if problem := accountProblem(line); problem != "" {
				l.say(Fault(a.Range, "Invalid account", "%s", problem))
				continue
			}
			l.accountClashes(a, seen)
			l.project.Accounts = append(l.project.Accounts, a)
		}
	}
}

func accountProblem(line account.Line) string {
	what := map[string]string{"u": "user", "u!": "user", "g": "group"}[line.Type]
	uid, isUser := line.UID()
	gid, isGroup := line.GID()
	switch {
	case line.Type == "m" || line.Type == "r":
		return fmt.Sprintf("A line of type %s does not set a number. Memberships belong in a feature: file.include/usr/lib/sysusers.d/NAME.conf.", line.Type)
	case what == "":
		return fmt.Sprintf("%q is not a type of account: u is a user with a group of its name, g a group.", line.Type)
	case strings.ContainsAny(line.Name, ":,/% "):
		return fmt.Sprintf("%q cannot be an account's name.", line.Name)
	case line.ID == "":
		return fmt.Sprintf("The %s %s has no number here, and this file is for numbers: %s %s 990.", what, line.Name, line.Type, line.Name)
	case !isUser && !isGroup:
		return fmt.Sprintf("%q is not a number that a %s can have: %s %s 990.", line.ID, what, line.Type, line.Name)
	case isUser && !account.Assignable(uid) || isGroup && !account.Assignable(gid):
		return fmt.Sprintf("%s cannot be the number of an account: 0 is root, 65534 is nobody, 65535 and 4294967295 mean no account.", line.ID)
	case len(line.Rest) > 0:
		return fmt.Sprintf("What follows the number of %s has no effect here: this file is for numbers. An account itself is made by a package, or by a feature's file.include/usr/lib/sysusers.d/NAME.conf.", line.Name)
	}
	return ""
}

// accountClashes finds two lines for one account, and two accounts for one
// number.
func (l *loader) accountClashes(a Account, seen map[string]Account) {
	claim := func(key, summary, detail string) bool {
		first, taken := seen[key]
		if taken {
			l.say(Fault(a.Range, summary, detail, PlaceOf(first.Range)))
		} else {
			seen[key] = a
		}
		return !taken
	}
	if uid, ok := a.UID(); ok {
		free := claim("user "+a.Name, "Account named twice", fmt.Sprintf("The user %s already has a number at %%s.", a.Name))
		if !free || !claim(fmt.Sprint("uid ", uid), "Number given twice", fmt.Sprintf("%d is another user's at %%s.", uid)) {
			return
		}
	}
	if gid, ok := a.GID(); ok {
		if claim("group "+a.Name, "Account named twice", fmt.Sprintf("The group %s already has a number at %%s; with UID:GID, write a separate line for the group.", a.Name)) {
			claim(fmt.Sprint("gid ", gid), "Number given twice", fmt.Sprintf("%d is another group's at %%s.", gid))
		}
	}
}
