package debian

import (
	"os"
	"regexp"
)

// plainPath is a path that means itself wherever apt reads it: in apt.conf, in
// sources.list, in a URI.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9/._+-]+$`)

// plainTemp is a directory for temporary files whose path apt takes.
func plainTemp() string {
	if temp := os.TempDir(); plainPath.MatchString(temp) {
		return temp
	}
	return "/tmp"
}
