package ostree

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/format"
)

// Fetched is an object that a machine downloads.
type Fetched struct {
	// Name is SUM.KIND, and Path where the tree has it, without a slash in front. A commit
	// has no path, and the root has the path "".
	Name, Path string
	// Bytes is its size in the repository, which is what goes over the network.
	Bytes int64
}

// Transfer is what a machine that has one commit downloads to get another one. The files
// that each pull reads (config, summary, refs) are not in it.
type Transfer struct {
	// Objects are those that the machine does not have, by path.
	Objects []Fetched
	// Delta is the static delta between the two commits, nil if there is none. A machine
	// takes it in place of the objects.
	Delta *Delta
}

// Delta is a static delta in a repository.
type Delta struct {
	// Files are its own, by their paths in the repository: the superblock and the parts.
	Files []Fetched
	// Fallbacks are objects that it does not have, and that are downloaded as such.
	Fallbacks []Fetched
}

// total is the number of bytes of a list.
func total(list []Fetched) int64 {
	var n int64
	for _, f := range list {
		n += f.Bytes
	}
	return n
}

// Bytes returns how many bytes are downloaded as objects.
func (t *Transfer) Bytes() int64 { return total(t.Objects) }

// Bytes returns how many bytes are downloaded with the delta.
func (d *Delta) Bytes() int64 { return total(d.Files) + total(d.Fallbacks) }

// Between returns what a machine that has all of the commit from, "" for none, downloads
// of the repository to get the commit to.
func (r Repository) Between(from, to string) (*Transfer, error) {
	have := map[string]bool{}
	if from != "" {
		if err := r.visit(from, func(name, _ string) bool {
			seen := have[name]
			have[name] = true
			return !seen
		}); err != nil {
			return nil, err
		}
	}
	t := &Transfer{}
	var failed error
	err := r.visit(to, func(name, at string) bool {
		if have[name] {
			return false
		}
		have[name] = true
		f, err := r.fetched(name, at)
		failed = cmp.Or(failed, err)
		t.Objects = append(t.Objects, f)
		return true
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	// Signatures of a commit that the machine has are not asked for.
	if f, err := r.fetched(to+"."+detached, ""); err == nil && from != to {
		t.Objects = append(t.Objects, f)
	}
	slices.SortStableFunc(t.Objects, func(a, b Fetched) int { return strings.Compare(a.Path, b.Path) })
	t.Delta, err = r.delta(from, to, t.Objects)
	return t, err
}

// visit calls do with the objects of a commit and its tree, and with their paths. What a
// directory leads to is left out if do returns false for it.
func (r Repository) visit(commit string, do func(name, at string) bool) error {
	c, err := r.Commit(commit)
	if err != nil {
		return err
	}
	if !do(commit+".commit", "") {
		return nil
	}
	tree := TreeOf(r, c)
	do(tree.root.Meta+".dirmeta", "")
	var descend func(sum, at string) error
	descend = func(sum, at string) error {
		if !do(sum+".dirtree", at) {
			return nil
		}
		d, err := tree.dir(sum)
		if err != nil {
			return err
		}
		entries := entriesOf(d)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			e := entries[name]
			if !e.Dir {
				do(e.Sum+".filez", path.Join(at, name))
				continue
			}
			do(e.Meta+".dirmeta", path.Join(at, name))
			if err := descend(e.Sum, path.Join(at, name)); err != nil {
				return err
			}
		}
		return nil
	}
	return descend(tree.root.Sum, "")
}

// fetched is an object with its size.
func (r Repository) fetched(name, at string) (Fetched, error) {
	info, err := os.Stat(filepath.Join(r.dir, ObjectPath(name)))
	if err != nil {
		return Fetched{}, fmt.Errorf("%s is damaged: %w", r.dir, err)
	}
	return Fetched{name, at, info.Size()}, nil
}

// deltaDir is where a repository has the static delta between two commits; from is "" for
// one that needs no other commit. The names are those of ostree-core.c: base64 with "_"
// for "/" and without padding.
func deltaDir(from, to string) string {
	name := shortSum(to)
	if from != "" {
		name = shortSum(from) + "-" + name
	}
	return "deltas/" + name[:2] + "/" + name[2:]
}

// shortSum is a checksum as names of static deltas have it.
func shortSum(sum string) string {
	raw, _ := hex.DecodeString(sum) // a checksum
	return strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(raw), "/", "_")
}

// delta finds the static delta between two commits. Objects are those that are downloaded
// without it.
func (r Repository) delta(from, to string, objects []Fetched) (*Delta, error) {
	dir := deltaDir(from, to)
	raw, err := os.ReadFile(filepath.Join(r.dir, dir, superblock))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	super, err := format.ParseOSTreeDelta(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", r.dir, dir, err)
	}
	d := &Delta{Files: []Fetched{{superblock, dir + "/" + superblock, int64(len(raw))}}}
	for i := range super.Parts {
		name := strconv.Itoa(i)
		info, err := os.Stat(filepath.Join(r.dir, dir, name))
		if err != nil {
			return nil, fmt.Errorf("%s: %s is damaged: %w", r.dir, dir, err)
		}
		d.Files = append(d.Files, Fetched{name, dir + "/" + name, info.Size()})
	}
	for _, name := range super.Fallbacks {
		for _, f := range objects {
			if f.Name == name {
				d.Fallbacks = append(d.Fallbacks, f)
			}
		}
	}
	// A delta does not have signatures.
	for _, f := range objects {
		if f.Name == to+"."+detached {
			d.Fallbacks = append(d.Fallbacks, f)
		}
	}
	return d, nil
}

// superblock is the file of a static delta that lists its parts. A directory without it is not a delta.
const superblock = "superblock"
