package ostree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// AmbiguousError is the beginning of several commits' checksums.
type AmbiguousError struct {
	Begin   string
	Commits []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d commits begin with %s: %s", len(e.Commits), e.Begin, strings.Join(e.Commits, ", "))
}

// Dir is where the repository is.
func (r Repository) Dir() string { return r.dir }

// Abbreviated returns the commit whose checksum begins with a text; an error that is
// fs.ErrNotExist if there is none, an [*AmbiguousError] if there are several.
func (r Repository) Abbreviated(begin string) (string, error) {
	if !IsAbbreviation(begin) {
		return "", fmt.Errorf("%q is not the beginning of a checksum: %w", begin, fs.ErrNotExist)
	}
	entries, err := os.ReadDir(filepath.Join(r.dir, "objects", begin[:2]))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var found []string
	for _, e := range entries {
		rest, ok := strings.CutSuffix(e.Name(), ".commit")
		if sum := begin[:2] + rest; ok && isSum(sum) && strings.HasPrefix(sum, begin) {
			found = append(found, sum)
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no commit begins with %s: %w", begin, fs.ErrNotExist)
	case 1:
		return found[0], nil
	}
	return "", &AmbiguousError{begin, found}
}
