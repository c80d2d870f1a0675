package config

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// nearFile suggests a file that may have been meant by a path below a directory of the
// tree ("" for the tree itself), as the end of a message; "" if no file has a similar name. With
// endings, only files with one of these are suggested.
func (l *loader) nearFile(dir, written string, endings ...string) string {
	at, file := path.Split(path.Clean(written))
	where := path.Join(dir, at)
	if where == "" {
		where = "."
	}
	if !fs.ValidPath(where) {
		return ""
	}
	entries, err := fs.ReadDir(l.fsys, where)
	if err != nil {
		return ""
	}
	var near []string
	for _, e := range entries {
		if len(endings) == 0 || slices.Contains(endings, path.Ext(e.Name())) {
			near = append(near, e.Name())
		}
	}
	if meant := Suggest(file, near); meant != "" {
		return fmt.Sprintf(" Did you mean %q?", at+meant)
	}
	return ""
}
