package extension

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// TogetherAction looks whether extensions can be merged together.
var TogetherAction = task.Define("extensions-together", 1, compareExtensions)

// compareExtensions looks at all extensions of a flavour at once, as a
// machine may have merged them all. It leaves nothing.
func compareExtensions(ctx context.Context, t *task.Task, _ struct{}) error {
	trees := map[string]string{}
	for name, dir := range t.Inputs {
		trees[name] = filepath.Join(dir, name)
	}
	faults, err := sharedNumbers(trees)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("these extensions cannot be merged together:\n  %s\n"+
			"A line \"u NAME NUMBER\" or \"g NAME NUMBER\" in a feature's file.include/%s, or in the file accounts of the tree, chooses another number",
			strings.Join(faults, "\n  "), machine.SysusersDir)
	}
	notes, err := sameFiles(ctx, trees)
	for _, text := range notes {
		t.Warn("%s", text)
	}
	return err
}

// sharedNumbers finds accounts of different names, or with different numbers for
// one name, in two extensions.
func sharedNumbers(trees map[string]string) ([]string, error) {
	type of struct {
		account.Ledger
		extension string
	}
	var all []of
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		text, err := os.ReadFile(filepath.Join(trees[name], machine.SysusersDir, "01-extension-"+name+".conf"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines, _ := account.ParseSysusers(string(text))
		all = append(all, of{account.FromSysusers(lines), name})
	}
	var faults []string
	compare := func(what string, a, b map[string]uint32, first, second string) {
		for _, name := range slices.Sorted(maps.Keys(a)) {
			for _, other := range slices.Sorted(maps.Keys(b)) {
				same, shared := name == other, a[name] == b[other]
				if same && !shared {
					faults = append(faults, fmt.Sprintf("%s %s has the number %d in %s and %d in %s", what, name, a[name], first, b[other], second))
				} else if shared && !same {
					faults = append(faults, fmt.Sprintf("%s %s of %s and %s %s of %s would both be %d", what, name, first, what, other, second, a[name]))
				}
			}
		}
	}
	for i, a := range all {
		for _, b := range all[i+1:] {
			compare("user", a.Users, b.Users, a.extension, b.extension)
			compare("group", a.Groups, b.Groups, a.extension, b.extension)
		}
	}
	return faults, nil
}

// sameFiles finds what two extensions have at the same path and is not the same.
func sameFiles(ctx context.Context, trees map[string]string) ([]string, error) {
	var notes []string
	names := slices.Sorted(maps.Keys(trees))
	for i, first := range names {
		for _, second := range names[i+1:] {
			err := walkTree(ctx, trees[second], func(rel string, d fs.DirEntry) error {
				if !treefs.Exists(filepath.Join(trees[first], rel)) {
					return skipped(d)
				}
				what, err := compareFiles(filepath.Join(trees[first], rel), filepath.Join(trees[second], rel))
				if err != nil || what == "" {
					return err
				}
				hint := ""
				if moduleIndex.MatchString(rel) {
					hint = ", and it does not list the kernel modules of the other; put both into one extension"
				}
				notes = append(notes, fmt.Sprintf("the extensions %s and %s both have /%s, and not the same: merged together, only one of the two is seen%s", first, second, rel, hint))
				return skipped(d)
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return notes, nil
}
