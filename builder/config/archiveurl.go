package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

var componentPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*(/[a-z0-9.+-]+)*$`)

// checkMirror returns what is wrong with a URL, as the end of a sentence.
func checkMirror(mirror string) string {
	if sourcesLine.MatchString(mirror) {
		return "is a line of sources.list: write its URL here, and suite and components in their own fields."
	}
	if trimmed := strings.TrimSpace(mirror); trimmed != mirror {
		return "begins or ends with a blank: remove it."
	}
	if strings.Contains(mirror, " ") {
		return fmt.Sprintf("is not a URL: in one, a blank is written %q.", strings.ReplaceAll(mirror, " ", "%20"))
	}
	u, err := url.Parse(mirror)
	if err != nil || oddURL(mirror) != "" {
		return "is not a URL."
	}
	// apt finds the program that reads an archive by the scheme as it is written.
	if scheme := mirror[:len(u.Scheme)]; scheme != u.Scheme {
		return fmt.Sprintf("has capital letters in its scheme, which apt does not know: write %q.", u.Scheme+strings.TrimPrefix(mirror, scheme))
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" {
			return "has no host."
		}
		if port := u.Port(); port != "" {
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return fmt.Sprintf("has the port %s; a port is a number of 1 to 65535.", port)
			}
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
