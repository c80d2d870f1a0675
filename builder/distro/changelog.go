package distro

import "context"

// ChangelogEntry is what a package's changelog has on one version.
type ChangelogEntry struct {
	Version string `json:"version"`
	// Urgency and Date are as the entry has them, and Text is what was changed, without
	// the lines around it.
	Urgency string `json:"urgency,omitempty"`
	Date    string `json:"date,omitempty"`
	Text    string `json:"text"`
}

// Changelogs compares versions of packages and reads their changelogs.
type Changelogs interface {
	// CompareVersions orders versions of packages.
	CompareVersions(a, b string) int
	// ChangelogFiles are the paths, relative to a tree, at which a package may have its
	// changelog, the likeliest first. They may be compressed.
	ChangelogFiles(p Package) []string
	// ReadChangelog reads a changelog, which may be compressed, and returns the entries
	// that come after one version, as far as another one.
	ReadChangelog(content []byte, after, until string) ([]ChangelogEntry, error)
	// PackageChangelog reads the changelog in the file of a package; fs.ErrNotExist if it
	// has none.
	PackageChangelog(ctx context.Context, file string, p Package) ([]byte, error)
}
