package ostree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/format"
)

// largestAccounts is more than any account file has, in bytes.
const largestAccounts = 16 << 20

// LedgerFile is where a commit says which numbers were ever given out in its
// history.
const LedgerFile = "usr/lib/treewright/accounts"

// ledgerFiles are the files of a commit that say which accounts there are.
var ledgerFiles = []string{LedgerFile, "usr/etc/passwd", "usr/etc/group"}

// Accounts reads which numbers accounts were ever given up to a commit: from the
// ledger that it holds, and from its /etc/passwd and /etc/group. An object that
// is not here is an error that is fs.ErrNotExist.
func (r Repository) Accounts(sum string) (account.Ledger, error) {
	if sum == "" {
		return account.Ledger{}, nil
	}
	text := map[string]string{}
	for _, name := range ledgerFiles {
		content, err := r.file(sum, name)
		if err != nil && !errors.Is(err, errNoSuchFile) {
			return account.Ledger{}, fmt.Errorf("read the accounts of commit %s: %s: %w", sum, name, err)
		}
		text[name] = string(content)
	}
	lines, faults := account.ParseSysusers(text[LedgerFile])
	if len(faults) > 0 {
		return account.Ledger{}, fmt.Errorf("read the accounts of commit %s: %s line %d: %s", sum, LedgerFile, faults[0].Number, faults[0].Reason)
	}
	now := account.Of(account.ParsePasswd(text["usr/etc/passwd"]), account.ParseGroup(text["usr/etc/group"]))
	return account.FromSysusers(lines).Merge(now), nil
}

// errNoSuchFile reports that a commit has no file of that path.
var errNoSuchFile = errors.New("no such file")

// file returns the content of a regular file in a commit, by its path without a
// slash in front; errNoSuchFile if there is none.
func (r Repository) file(commit, path string) ([]byte, error) {
	sum, err := r.lookup(commit, path)
	if err != nil {
		return nil, err
	}
	if r.bare {
		return r.bareContent(sum, largestAccounts)
	}
	f, err := os.Open(filepath.Join(r.dir, object(sum, "filez")))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := format.ReadOSTreeFile(f, sum, largestAccounts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return content, nil
}

// lookup returns the checksum of a file in a commit; errNoSuchFile if there is
// none.
func (r Repository) lookup(commit, path string) (string, error) {
	c, err := r.Commit(commit)
	if err != nil {
		return "", err
	}
	tree, _, _ := strings.Cut(c.Tree, ".")
	names := strings.Split(path, "/")
	for i, name := range names {
		dir, err := r.dirtree(tree)
		if err != nil {
			return "", err
		}
		if i < len(names)-1 {
			tree = dir.Dirs[name]
		} else {
			tree = dir.Files[name]
		}
		if tree == "" {
			return "", errNoSuchFile
		}
	}
	return tree, nil
}

// accountObjects are the files of a commit that the next build reads before
// anything else, if the commit can be read.
func (r Repository) accountObjects(commit string) []string {
	var names []string
	for _, path := range ledgerFiles {
		if sum, err := r.lookup(commit, path); err == nil {
			names = append(names, sum+".filez")
		}
	}
	return names
}
