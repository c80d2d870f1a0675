package layer

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Glob returns the paths below the directory dir that match a pattern, as path.Match
// reads it. Unlike in filepath.Glob the directory's own name is not a pattern: people
// have [, * and backslashes in those.
func Glob(dir, pattern string) ([]string, error) {
	names, err := fs.Glob(os.DirFS(dir), pattern)
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	return names, err
}
