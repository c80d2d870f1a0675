package debian

import (
	"bytes"
	"net/mail"
	"path"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// release is what a release file says; see the wiki's DebianRepository/Format.
type release struct {
	// Components and Architectures are nil if it does not list them.
	Components, Architectures []string
	Date, ValidUntil          time.Time
	// files are the names that it has sums of.
	files map[string]bool
}

// readRelease reads a release file, with a signature around it or without. It
// returns false if the text is something else.
func readRelease(data []byte) (release, bool) {
	text, _ := clearsigned(data)
	r := release{
		Components: strings.Fields(field(text, "Components")), Architectures: strings.Fields(field(text, "Architectures")),
		Date: releaseDate(field(text, "Date")), ValidUntil: releaseDate(field(text, "Valid-Until")), files: map[string]bool{},
	}
	for line := range bytes.Lines(text) {
		if words := strings.Fields(string(line)); len(line) > 0 && line[0] == ' ' && len(words) == 3 {
			r.files[words[2]] = true
		}
	}
	return r, !r.Date.IsZero() || len(r.files) > 0
}

func releaseDate(value string) time.Time {
	at, err := mail.ParseDate(strings.Replace(value, " UTC", " +0000", 1))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// clearsigned returns the text of a file that has its signature in it, and the
// signature; of another file, the file.
func clearsigned(data []byte) (text, signature []byte) {
	_, rest, found := bytes.Cut(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----"))
	at := bytes.Index(rest, []byte("-----BEGIN PGP SIGNATURE-----"))
	if !found || at < 0 {
		return data, nil
	}
	_, text, _ = bytes.Cut(rest[:at], []byte("\n\n"))
	return bytes.ReplaceAll(append([]byte("\n"), text...), []byte("\n- "), []byte("\n"))[1:], rest[at:]
}

// has reports whether a component is one of the archive's. The release file of an
// archive below another one calls main updates/main.
func (r release) has(component string) bool {
	for _, c := range r.Components {
		if c == component || strings.HasSuffix(c, "/"+component) || strings.HasSuffix(component, "/"+c) {
			return true
		}
	}
	if len(r.Components) > 0 {
		return false
	}
	for file := range r.files {
		if strings.HasPrefix(file, component+"/") {
			return true
		}
	}
	return len(r.files) == 0
}

// serves reports whether the archive has packages for an architecture.
func (r release) serves(arch string) bool {
	for _, a := range r.Architectures {
		if a == arch {
			return true
		}
	}
	return len(r.Architectures) == 0
}

// releaseURL is where a file beside a source's release file is.
func releaseURL(s distro.Source, name string) string {
	if s.Flat() {
		return s.URL + path.Join("/", s.Suite, name)
	}
	return s.URL + "/dists/" + s.Suite + "/" + name
}
