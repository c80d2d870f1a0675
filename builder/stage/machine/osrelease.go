package machine

import (
	"errors"
	"os"
	"strings"
)

// OSReleaseFiles are where os-release(5) is on a machine; the first that is
// there is read.
var OSReleaseFiles = []string{"etc/os-release", "usr/lib/os-release"}

// MatchFields are what systemd compares between a system and an extension,
// beside the architecture.
var MatchFields = []string{"ID", "VERSION_ID", "SYSEXT_LEVEL"}

// OSRelease returns the os-release of a tree that systemd reads on a machine,
// as it is written, and where it is. The tree may be in OSTree's shape.
func OSRelease(tree string) (text, file string, err error) {
	for _, file := range OSReleaseFiles {
		way, err := Follow(tree, file)
		if err != nil {
			return "", "", err
		}
		if len(way) == 0 {
			continue
		}
		text, err := os.ReadFile(OnDisk(tree, way[len(way)-1]))
		return string(text), "/" + file, err
	}
	return "", "", errors.New("the tree has no os-release")
}

// ReleaseFields reads the syntax of os-release(5). Values keep their quotes.
func ReleaseFields(text string) map[string]string {
	fields := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			fields[key] = value
		}
	}
	return fields
}

// Unquote takes the quotes off a value of os-release(5).
func Unquote(value string) string { return strings.Trim(value, `"'`) }

// LintRelease finds a system that says two things of itself. systemd reads
// /etc/os-release, and everyone who looks below /usr the other.
func LintRelease(tree string, report func(string, ...any)) error {
	texts := map[string]map[string]string{}
	for _, file := range OSReleaseFiles {
		way, err := Follow(tree, file)
		if err != nil {
			return err
		}
		if len(way) == 0 {
			// Where there is one only, all read the same. That one is missing
			// below /usr is found elsewhere.
			return nil
		}
		text, err := os.ReadFile(OnDisk(tree, way[len(way)-1]))
		if err != nil {
			return err
		}
		texts[file] = ReleaseFields(string(text))
	}
	for _, key := range MatchFields {
		first, other := Unquote(texts[OSReleaseFiles[0]][key]), Unquote(texts[OSReleaseFiles[1]][key])
		if first != other {
			report("%s is %q in /%s and %q in /%s: systemd reads the first, so extensions would be matched to another system than this one; "+
				"make one a link to the other, or write the same into both", key, first, OSReleaseFiles[0], other, OSReleaseFiles[1])
		}
	}
	return nil
}
