package compose

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	versioned = regexp.MustCompile(`^([a-z0-9][a-z0-9+.-]+)\s*\(?\s*(>=|<=|>>|<<|==|=|>|<|~=)\s*([0-9][^\s()]*)\s*\)?$`)
	aPackage  = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+(?:[=/:][^\s,;"']+)?$`)
)

// packageHint reports how a line of a package list is written that other lists may have. It
// is empty, or a sentence that begins with a blank.
func packageHint(text string) string {
	text = strings.TrimSpace(text)
	if m := versioned.FindStringSubmatch(text); m != nil {
		if m[2] == "=" || m[2] == "==" {
			return fmt.Sprintf(" Did you mean %q?", m[1]+"="+m[3])
		}
		return fmt.Sprintf(" Only one version can be asked for, as in %s=%s; without it the newest one of the archive is installed.", m[1], m[3])
	}
	if strings.HasPrefix(text, "//") || strings.HasPrefix(text, ";") || strings.HasPrefix(text, "--") {
		return " A comment begins with #."
	}
	if rest, item := strings.CutPrefix(text, "- "); item && aPackage.MatchString(strings.TrimSpace(rest)) {
		return fmt.Sprintf(" Did you mean %q, without the dash of YAML?", strings.TrimSpace(rest))
	}
	bare := strings.Trim(text, `"',;`)
	if lower := strings.ToLower(bare); lower != text && aPackage.MatchString(lower) {
		return fmt.Sprintf(" Did you mean %q?", lower)
	}
	if strings.ContainsAny(text, ",;") {
		return " No commas are between them."
	}
	return ""
}
