package debian

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// otherFile is a file of an archive that is not the one that its index lists.
type otherFile struct{ error }

func (o otherFile) Unwrap() error { return o.error }

// fetchError describes which source a package could not be read from, where that is
// written, and what to do.
func fetchError(p distro.Archived, source string, h distro.FetchHints, err error) error {
	from := ""
	if source != distro.MainSource {
		from = fmt.Sprintf(" of the source %q", source)
	}
	if place := h.Places[source]; place != "" {
		from += " (" + place + ")"
	}
	err = fmt.Errorf("fetch package %s %s%s: %w", p.Name, p.Version, from, err)
	pin := h.Pins[p.SHA256]
	if pin != "" {
		err = fmt.Errorf("%s: %w", pin, err)
	}
	var other otherFile
	var status *download.StatusError
	switch isStatus := errors.As(err, &status); {
	case pin != "" && (errors.As(err, &other) || isStatus && (status.Code == http.StatusNotFound || status.Code == http.StatusGone)):
		return fmt.Errorf("%w\nThe lock has this package, and no other one is taken in its place. %s", err, elsewhere(p, h))
	case errors.As(err, &other), isStatus && (status.Code == http.StatusNotFound || status.Code == http.StatusGone):
		return fmt.Errorf("%w\nThe archive has changed since its index was read. Run again: the index is read again. If it stays like this, the archive itself is at fault: its index lists what it does not have", err)
	case isStatus && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden):
		for _, mirror := range h.Mirrors[source] {
			if u, parseErr := url.Parse(mirror + "/" + strings.TrimPrefix(p.Filename, "./")); parseErr == nil {
				return fmt.Errorf("%w\n%s", err, strings.TrimSuffix(passwordFor(u, h.Secrets), "."))
			}
		}
	}
	return err
}

// elsewhere is the advice for a locked package that its source does not have.
func elsewhere(p distro.Archived, h distro.FetchHints) string {
	if len(h.Snapshots) == 0 {
		return "Name an archive that keeps old packages (snapshots in treewright.hcl), or update the package in the lock"
	}
	var unused []string
	for _, template := range h.Snapshots {
		if _, ok := distro.Snapshot(template.URL, p, "", h.Dates[p.SHA256]); !ok {
			unused = append(unused, template.Place)
		}
	}
	advice := "None of the snapshot archives has it; update the package in the lock"
	if len(unused) > 0 {
		advice += ". Not asked, because the lock lacks what their URL needs: " + strings.Join(unused, ", ")
	}
	return advice
}
