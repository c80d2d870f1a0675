package config

import (
	"fmt"
	"regexp"
	"slices"
)

// releases are the names of Debian's releases by their numbers.
var releases = map[string]string{"11": "bullseye", "12": "bookworm", "13": "trixie", "14": "forky"}

var releaseNumber = regexp.MustCompile(`^(?:debian)?[-.]?(\d+)(?:\.\d+)?$`)

// ofUbuntu are releases of another distribution.
var ofUbuntu = []string{"bionic", "focal", "jammy", "kinetic", "lunar", "mantic", "noble", "oracular", "plucky", "questing"}

// notDebian explains why Debian's own archive has no suite of this name, as
// far as that is known without asking; else "".
func notDebian(suite string) string {
	if m := releaseNumber.FindStringSubmatch(suite); m != nil {
		if name := releases[m[1]]; name != "" {
			return fmt.Sprintf("Debian's archive knows releases by their names: Debian %s is %q.", m[1], name)
		}
		return "Debian's archive knows releases by their names, such as \"trixie\"."
	}
	if slices.Contains(ofUbuntu, suite) {
		return fmt.Sprintf("%q is a release of Ubuntu, and the mirror is that of Debian, which has trixie and testing.", suite)
	}
	return ""
}
