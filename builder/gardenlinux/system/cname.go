package system

import (
	"fmt"
	"regexp"
	"strings"
)

// cname is the Garden Linux builder's pattern, with the one newline at the end
// that Python's "$" lets pass.
var cname = regexp.MustCompile(`^([a-z][a-zA-Z0-9_-]*?)(-(amd64|arm64)(-([a-z0-9.]+))?)?\n?$`)

// ParseCName takes a canonical name apart: FEATURES, FEATURES-ARCH or
// FEATURES-ARCH-VERSION, where "-" separates features and "_" opens a flag.
// Each feature is returned once, in the order of mention; arch and version are
// "" where the name does not say. Superfluous separators give an empty
// feature, which [compose.Graph.Select] then does not find.
func ParseCName(s string) (features []string, arch, version string, err error) {
	m := cname.FindStringSubmatch(s)
	if m == nil {
		return nil, "", "", fmt.Errorf("not a valid cname: %q", s)
	}
	seen := map[string]bool{}
	for name := range strings.SplitSeq(strings.ReplaceAll(m[1], "_", "-_"), "-") {
		if !seen[name] {
			seen[name] = true
			features = append(features, name)
		}
	}
	return features, m[3], m[5], nil
}
