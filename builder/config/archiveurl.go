package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

var componentPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*(/[a-z0-9.+-]+)*$`)

// checkMirror returns what is wrong with a URL, as the end of a sentence.
func checkMirror(mirror string) string {
	if sourcesLine.MatchString(mirror) {
		return "is a line of sources.list: write its URL here, and suite and components in their own fields."
	}
	if strings.HasPrefix(mirror, "file:") && strings.Contains(mirror, " ") {
		return fmt.Sprintf("is not a URL: in one, a blank is written %q.", strings.ReplaceAll(mirror, " ", "%20"))
	}
	u, err := url.Parse(mirror)
	if err != nil || oddURL(mirror) != "" {
		return "is not a URL."
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" {
			return "has no host."
		}
	case "file":
		if u.Host != "" || !path.IsAbs(u.Path) {
			return "has no absolute path: write file:///path."
		}
	case "":
		return "is not a URL: it has to begin with http://, https:// or file://."
	default:
		return fmt.Sprintf("has the scheme %q; only http, https and file can be used.", u.Scheme)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "has a query or a fragment, which the URL of a package archive cannot have."
	}
	return mirrorMistake(u)
}
