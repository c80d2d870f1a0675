package extend

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Request asks for the image that adds packages to a commit.
type Request struct {
	// Commit is the checksum, in hexadecimal.
	Commit string `json:"commit"`
	// Packages are the names of packages, as apt-get(8) takes them, without versions.
	Packages []string `json:"packages"`
}

// MostPackages is the largest number of packages in a request.
const MostPackages = 500

// mostName is the largest length of a package's name in bytes. Debian's longest names have about 100.
const mostName = 200

var (
	// checksum is the form of a commit's checksum.
	checksum = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// packageName is the form of a package's name (Debian policy 5.6.1).
	packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	// packageBegin is the name at the beginning of a text that can have more parts, such as an architecture.
	packageBegin = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+`)
)

// Sorted returns the request with each name once, in their order as text. Two requests for the same packages
// are equal then.
func (r Request) Sorted() Request {
	r.Packages = slices.Compact(slices.Sorted(slices.Values(r.Packages)))
	return r
}

// Check describes the first malformed part of a request; nil for a correct request.
func (r Request) Check() error {
	if !checksum.MatchString(r.Commit) {
		return fmt.Errorf("%q is not the checksum of a commit", r.Commit)
	}
	if len(r.Packages) == 0 {
		return fmt.Errorf("no package is asked for")
	}
	if len(r.Packages) > MostPackages {
		return fmt.Errorf("%d packages are asked for; %d is the limit", len(r.Packages), MostPackages)
	}
	for _, name := range r.Packages {
		if err := CheckName(name); err != nil {
			return err
		}
	}
	return nil
}

// CheckName reports whether a text can be the name of a package.
func CheckName(name string) error {
	if len(name) <= mostName && packageName.MatchString(name) {
		return nil
	}
	hint := ""
	if bare := packageBegin.FindString(name); bare != "" && bare != name && strings.IndexByte(":=/", name[len(bare)]) >= 0 {
		hint = fmt.Sprintf(": packages are of the commit's architecture, and in the versions of its sources; ask for %q", bare)
	} else if lower := strings.ToLower(name); packageName.MatchString(lower) {
		hint = fmt.Sprintf(": names have no capital letters; did you mean %q?", lower)
	}
	return fmt.Errorf("%.200q is not the name of a package%.400s", name, hint)
}

// ID identifies the set of packages of a request, whatever their order: 32 hexadecimal digits.
func (r Request) ID() string {
	sum := sha256.Sum256([]byte(strings.Join(r.Sorted().Packages, "\n")))
	return hex.EncodeToString(sum[:16])
}
