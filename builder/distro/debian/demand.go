package debian

import (
	"math"
	"strconv"
	"strings"
)

// Demand returns how many bytes of the packages in an index (a Packages file)
// have to be downloaded, by have, which is asked for each one's SHA-256, and how
// many they say that they take installed. What says nothing takes nothing.
func (Family) Demand(index []byte, have func(sha256 string) bool) (download, installed int64) {
	packages, err := parsePackages(index)
	if err != nil {
		return 0, 0
	}
	for _, p := range packages {
		if !isLocal(p) && !have(p.SHA256) {
			download += p.Size
		}
		for line := range strings.Lines(p.Stanza) {
			value, ok := strings.CutPrefix(line, "Installed-Size:")
			if !ok {
				continue
			}
			if kib, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil && kib > 0 && kib < math.MaxInt64>>20 {
				installed += kib << 10
			}
		}
	}
	return download, installed
}
