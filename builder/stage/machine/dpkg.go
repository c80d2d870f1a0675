package machine

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/layer"
)

// PackagesWith are the packages one of whose files in dpkg's directory is as
// wanted.
func PackagesWith(info, pattern string, want func(text string) bool) []string {
	files, _ := layer.Glob(info, pattern)
	var names []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && want(string(text)) {
			name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), ":")
			names = append(names, name)
		}
	}
	return names
}
