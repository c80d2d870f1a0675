package build

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
)

// repository is a repository whose refs can be asked for.
type repository interface {
	ostree.Objects
	Head(ref string) (string, error)
	Refs() (map[string]string, error)
}

// revision finds the commit that a text is: a ref, a commit, the beginning of one, "" for the
// only ref, each followed by a "^" for each parent that is gone back to. It returns the ref too, if there is one.
func revision(repo repository, where, rev string) (sum, ref string, err error) {
	name := strings.TrimRight(rev, "^")
	switch sum, ref, err = named(repo, where, name); {
	case err != nil:
		return "", "", err
	case sum == "":
		return "", "", unknownRevision(repo, where, name)
	}
	for range len(rev) - len(name) {
		c, err := ostree.ReadCommit(repo, sum)
		if err != nil {
			return "", "", err
		}
		if c.Parent == "" {
			return "", "", diag.Requestf("%s of %s: commit %.12s has no parent", rev, where, sum)
		}
		sum = c.Parent
	}
	return sum, ref, nil
}

// named finds a commit without "^"; "" if there is none.
func named(repo repository, where, name string) (sum, ref string, err error) {
	if name == "" {
		refs, err := repo.Refs()
		if err != nil {
			return "", "", fmt.Errorf("%s: which refs there are is not known: %w", where, err)
		}
		if len(refs) != 1 {
			return "", "", diag.Requestf("%s has %s; choose one: %s", where, diag.Counted(len(refs), "ref"), withHash(where, refs))
		}
		for ref, sum := range refs {
			return sum, ref, nil
		}
	}
	if sum, err = repo.Head(name); err != nil || sum != "" {
		return sum, name, err
	}
	if !ostree.IsAbbreviation(name) {
		return "", "", nil
	}
	if local, ok := repo.(ostree.Repository); ok {
		sum, err = local.Abbreviated(name)
		if errors.Is(err, fs.ErrNotExist) {
			return "", "", nil
		}
		var several *ostree.AmbiguousError
		if errors.As(err, &several) {
			return "", "", diag.Requestf("%s: %v", where, several)
		}
		return sum, "", err
	}
	if len(name) == 64 {
		return name, "", nil
	}
	return abbreviated(repo, where, name)
}

// abbreviated finds a commit of a server by the beginning of its checksum. Servers list no
// objects, so it is looked for in the histories of all refs.
func abbreviated(repo repository, where, begin string) (string, string, error) {
	const most = 200 // commits of a history
	refs, err := repo.Refs()
	if err != nil {
		return "", "", fmt.Errorf("%s: which refs there are is not known: %w", where, err)
	}
	found := map[string]string{}
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		sum := refs[ref]
		for range most {
			if strings.HasPrefix(sum, begin) {
				found[sum] = ref
			}
			c, err := ostree.ReadCommit(repo, sum)
			if download.NotFound(err) {
				break // the history was cut off there
			}
			if err != nil {
				return "", "", err
			}
			if sum = c.Parent; sum == "" {
				break
			}
		}
	}
	if len(found) > 1 {
		return "", "", diag.Requestf("%s: %v", where, &ostree.AmbiguousError{Begin: begin, Commits: slices.Sorted(maps.Keys(found))})
	}
	for sum, ref := range found {
		return sum, ref, nil
	}
	return "", "", nil
}

func withHash(where string, refs map[string]string) string {
	var all []string
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		all = append(all, where+"#"+ref)
	}
	return strings.Join(all, ", ")
}

// unknownRevision is the error about a ref or commit that a repository does not have.
func unknownRevision(repo repository, where, name string) error {
	refs, _ := repo.Refs() // suggestions can be done without
	names := slices.Sorted(maps.Keys(refs))
	near := ""
	switch s := config.Suggest(name, names); {
	case s != "":
		near = fmt.Sprintf("; did you mean %q?", s)
	case len(names) > 0:
		const most = 10
		near = "; its refs are " + strings.Join(names[:min(most, len(names))], ", ")
	}
	what := "ref"
	if ostree.IsAbbreviation(name) {
		what = "ref or commit"
	}
	return diag.Requestf("%s has no %s %q%s", where, what, name, near)
}

// repositories are those of the output.
func (b *Builder) repositories() (repos []ostree.Repository) {
	dirs, err := layer.Glob(b.options.Output, "*/*/objects")
	if err != nil {
		return nil // nothing was built yet
	}
	for _, objects := range dirs {
		if repo, err := ostree.Open(filepath.Dir(objects)); err == nil { // else it is something else
			repos = append(repos, repo)
		}
	}
	return repos
}

// PublishedRefs are the refs of all published repositories, sorted, as far as they can be
// read.
func (b *Builder) PublishedRefs() []string {
	var all []string
	for _, repo := range b.repositories() {
		refs, _ := repo.Refs()
		all = append(all, slices.Collect(maps.Keys(refs))...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// relativeTo is a path as seen from the working directory, if that is shorter.
func relativeTo(dir string) string {
	if cwd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(cwd, dir); err == nil && filepath.IsLocal(rel) {
			return "./" + rel
		}
	}
	return dir
}
