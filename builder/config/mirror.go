package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// sourcesLine is the start of a line of sources.list(5).
var sourcesLine = regexp.MustCompile(`^deb(-src)?\s`)

// mirrorMistake returns what is wrong with a URL that is one, but not that of a
// package archive, as the end of a sentence; "" if nothing is known to be.
func mirrorMistake(u *url.URL) string {
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		// A directory pool may be anything, unless the URL ends with it.
		if part != "dists" && (part != "pool" || i+1 < len(parts) || i < 2) {
			continue
		}
		whole := *u
		whole.Path, whole.RawPath = strings.Join(parts[:i], "/"), ""
		if i+1 < len(parts) && parts[i+1] != "" {
			return fmt.Sprintf("goes on after the archive: write %q, and %q as the suite.", whole.Redacted(), parts[i+1])
		}
		return fmt.Sprintf("goes on after the archive: write %q.", whole.Redacted())
	}
	switch path.Base(u.Path) {
	case "InRelease", "Release", "Packages", "Packages.gz", "Packages.xz":
		whole := *u
		whole.Path, whole.RawPath = path.Dir(u.Path), ""
		return fmt.Sprintf("is that of a file of the archive: write %q.", whole.Redacted())
	}
	return ""
}
