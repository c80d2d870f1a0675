package distro

import (
	"net/url"
	"path"
	"strings"
	"time"
)

// SnapshotVariables are the variables of URL templates of snapshot archives. SnapshotNames are
// those that a file is found by: a template has at least one of them.
var (
	SnapshotNames     = []string{"sha256", "sha1", "md5", "path", "file"}
	SnapshotVariables = append([]string{"archive", "timestamp"}, SnapshotNames...)
)

// Snapshot returns the URL of a package in a snapshot archive, by a URL template: mirror is the
// URL of the package's source, and at is when its index was current. It returns false if the
// template has a variable whose value is not known of the package.
func Snapshot(template string, p Archived, mirror string, at time.Time) (string, bool) {
	archive := ""
	if u, err := url.Parse(mirror); err == nil {
		archive = path.Base(u.Path)
	}
	timestamp := ""
	if !at.IsZero() {
		timestamp = at.UTC().Format("20060102T150405Z")
	}
	for name, value := range map[string]string{
		"sha256": p.SHA256, "sha1": fieldOf(p.Stanza, "SHA1"), "md5": fieldOf(p.Stanza, "MD5sum"), "path": strings.TrimPrefix(p.Filename, "./"),
		"file": path.Base(p.Filename), "archive": archive, "timestamp": timestamp,
	} {
		variable := "{" + name + "}"
		if !strings.Contains(template, variable) {
			continue
		}
		if value == "" {
			return "", false
		}
		template = strings.ReplaceAll(template, variable, (&url.URL{Path: value}).EscapedPath())
	}
	return template, true
}

// fieldOf returns the value of a field of one line, "" if the stanza does not have the field.
func fieldOf(stanza, name string) string {
	for line := range strings.Lines(stanza) {
		if field, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(field, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
