package debian

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// judge finds out why apt cannot use a source, by asking the archive itself. apt's
// words do not say which field is at fault, and differ from version to version.
type judge struct {
	client *download.Client
	policy Policy
	archs  []string
	now    time.Time
}

// judging is for how long all questions about one source may take.
const judging = 20 * time.Second

// mostRelease is how long a release file or the list of a directory may be.
const mostRelease = 4 << 20

// source describes what is at fault; nil if nothing is found.
func (j judge) source(ctx context.Context, s distro.Source) *distro.SourceError {
	ctx, cancel := context.WithTimeout(ctx, judging)
	defer cancel()
	data, err := j.get(ctx, releaseURL(s, "InRelease"))
	var signature []byte
	if missing(err) {
		if data, err = j.get(ctx, releaseURL(s, "Release")); err == nil {
			if signature, err = j.get(ctx, releaseURL(s, "Release.gpg")); missing(err) {
				return unsigned(s)
			}
		}
	} else if err == nil {
		_, signature = clearsigned(data)
	}
	switch {
	case missing(err):
		return j.nothing(ctx, s)
	case err != nil:
		return j.unreachable(s, err)
	}
	r, ok := readRelease(data)
	if !ok {
		return &distro.SourceError{
			Source: s.Name, Field: distro.URLsField, Value: s.URL, Summary: "Not a release file", Outside: true,
			Detail: fmt.Sprintf("What %s answers is not a release file. Perhaps it is the page of a proxy, or of a login.", releaseURL(s, "InRelease")),
		}
	}
	if signature == nil {
		return unsigned(s)
	}
	return j.release(s, r, signature)
}

// release judges a release file that is there.
func (j judge) release(s distro.Source, r release, signature []byte) *distro.SourceError {
	signatures, err := readSignatures(signature)
	if err != nil || len(signatures) == 0 {
		return unsigned(s)
	}
	if keyring, err := os.ReadFile(s.Keyring); err == nil {
		if fault := signedBy(s, signatures, keyring, j.now); fault != nil {
			return fault
		}
	}
	if !j.policy.checks("Acquire::Check-Valid-Until") {
		r.ValidUntil = time.Time{}
	}
	if fault := inTime(s, r, j.now); fault != nil && j.policy.checks("Acquire::Check-Date") {
		return fault
	}
	if faults := offers(s, j.archs, r); len(faults) > 0 {
		return faults[0]
	}
	return nil
}

func unsigned(s distro.Source) *distro.SourceError {
	return &distro.SourceError{
		Source: s.Name, Field: distro.URLsField, Value: s.URL, Summary: "Unsigned archive", Outside: true,
		Detail: fmt.Sprintf("The release file of %s is not signed, so nothing proves where its packages come from. Packages are taken from signed archives only: sign it (InRelease, by gpg --clearsign) with a key of the keyring %s.", s, s.Keyring),
	}
}

// unreachable explains an error of asking.
func (j judge) unreachable(s distro.Source, err error) *distro.SourceError {
	fault := &distro.SourceError{Source: s.Name, Field: distro.URLsField, Value: s.URL, Summary: "Archive that does not answer", Outside: true}
	u, parseErr := url.Parse(s.URL)
	if parseErr != nil {
		return nil
	}
	var status *download.StatusError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden):
		fault.Summary = "Archive that asks for a password"
		fault.Detail = fmt.Sprintf("%s: the server answers %s. %s", s, status.Status, passwordFor(u, j.policy.Auth))
	case errors.As(err, &dns) && dns.IsNotFound:
		fault.Summary = "Unknown host"
		fault.Detail = fmt.Sprintf("There is no host %q (%s). Is its name mistyped, or does this machine have no network?", u.Hostname(), s)
	case errors.As(err, &certificate):
		fault.Summary, fault.Field, fault.Value = "Certificate that is not trusted", distro.URLsField, s.URL
		fault.Detail = fmt.Sprintf("The certificate of %s is not trusted here: %v. If its authority is your own, name the file with the authority's certificate in the field ca, as in \"keys/ca.pem\".", u.Host, certificate.Err)
	default:
		fault.Detail = fmt.Sprintf("%s cannot be read: %v.", s, err)
	}
	return fault
}

// nothing explains an archive without a release file: another suite was meant, or
// another URL.
func (j judge) nothing(ctx context.Context, s distro.Source) *distro.SourceError {
	if s.Flat() {
		fault := &distro.SourceError{Source: s.Name, Field: distro.SuitesField, Value: s.Suite, Summary: "No archive there"}
		fault.Detail = fmt.Sprintf("There is neither %s nor Release beside it.", releaseURL(s, "InRelease"))
		if suites := j.suites(ctx, s.URL); len(suites) > 0 {
			fault.Detail += fmt.Sprintf(" The archive is not flat: its suites are %s.", list(suites))
		}
		return fault
	}
	if suites := j.suites(ctx, s.URL); len(suites) > 0 {
		return missingSuite(s, suites)
	}
	for _, known := range []string{"stable", "testing", "unstable", "stable-security"} {
		if _, err := j.get(ctx, s.URL+"/dists/"+known+"/Release"); err == nil {
			return missingSuite(s, nil)
		}
	}
	fault := &distro.SourceError{Source: s.Name, Field: distro.URLsField, Value: s.URL, Summary: "No archive there"}
	fault.Detail = fmt.Sprintf("%s has no directory dists/%s with a release file, nor any other suite that is known here: it is not the URL of an archive, or the suite is another.", s.URL, s.Suite)
	for _, flat := range []string{"InRelease", "Release", "Packages", "Packages.gz", "Packages.xz"} {
		if _, err := j.get(ctx, s.URL+"/"+flat); err == nil {
			fault.Detail = fmt.Sprintf("%s has no directory dists/%s, but has %s: the archive is flat. Write its suite as \"./\".", s.URL, s.Suite, flat)
			fault.Field, fault.Value = distro.SuitesField, s.Suite
			return fault
		}
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return fault
	}
	above := path.Dir(path.Join("/", u.Path))
	for _, dir := range []string{path.Join("/", u.Path, "debian"), above, path.Join(above, "debian"), path.Join("/", u.Path, "debian-security")} {
		other := *u
		if other.Path = strings.TrimSuffix(dir, "/"); other.Path == u.Path {
			continue
		}
		if _, err := j.get(ctx, other.String()+"/dists/"+s.Suite+"/Release"); err == nil {
			fault.Known = []string{other.Redacted()}
			return fault
		}
	}
	return fault
}

// wellKnown are the suites of Debian, for mirrors that do not list theirs.
var wellKnown = []string{
	"stable", "testing", "unstable", "sid", "experimental", "oldstable", "forky", "trixie", "bookworm", "bullseye",
	"stable-backports", "stable-updates", "trixie-backports", "trixie-updates", "bookworm-backports", "bookworm-updates",
}

// moved are suites that left the mirrors.
var moved = []string{"potato", "woody", "sarge", "etch", "lenny", "squeeze", "wheezy", "jessie", "stretch", "buster"}

// missingSuite is the fault of a suite that a mirror does not have.
func missingSuite(s distro.Source, suites []string) *distro.SourceError {
	fault := &distro.SourceError{Source: s.Name, Field: distro.SuitesField, Value: s.Suite, Summary: "Unknown suite", Known: suites}
	fault.Detail = fmt.Sprintf("%s has no suite %q.", s.URL, s.Suite)
	before, _, _ := strings.Cut(s.Suite, "-")
	switch {
	case slices.Contains(moved, before):
		fault.Detail += " Debian keeps it at http://archive.debian.org/debian."
	case strings.HasSuffix(s.Suite, "-security") && s.Name == distro.MainSource:
		fault.Detail += fmt.Sprintf(" Security updates are in an archive of their own, and are added to a suite: the suite is %q.", strings.TrimSuffix(s.Suite, "-security"))
	case strings.HasSuffix(s.Suite, "-security") && !strings.HasSuffix(s.URL, "-security"):
		fault.Detail += " Security updates are in an archive of their own, http://security.debian.org/debian-security."
	}
	if len(suites) == 0 {
		fault.Known = wellKnown
	}
	return fault
}

// link is one of the links that a list of a directory has.
var link = regexp.MustCompile(`(?i)<a[^>]*\shref="([^"/?]+)/"`)

// suites are those of a mirror that lists its directories.
func (j judge) suites(ctx context.Context, mirror string) []string {
	var names []string
	if dir, local := localPath(mirror + "/dists"); local {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	page, err := j.get(ctx, mirror+"/dists/")
	if err != nil {
		return nil
	}
	for _, m := range link.FindAllSubmatch(page, -1) {
		if name, err := url.PathUnescape(html.UnescapeString(string(m[1]))); err == nil && !strings.HasPrefix(name, ".") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// localPath is the path of a file:// URL.
func localPath(source string) (string, bool) {
	u, err := url.Parse(source)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	return u.Path, true
}

// get asks for a file once.
func (j judge) get(ctx context.Context, source string) ([]byte, error) {
	var body io.ReadCloser
	var err error
	if file, local := localPath(source); local {
		body, err = os.Open(file)
	} else {
		body, err = j.client.Open(ctx, source)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, mostRelease))
}

// missing reports whether an error means that a file does not exist. deb.debian.org
// answers 400 Bad Request for paths outside of its archives.
func missing(err error) bool {
	var status *download.StatusError
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &status) && slices.Contains([]int{http.StatusNotFound, http.StatusGone, http.StatusBadRequest}, status.Code)
}
