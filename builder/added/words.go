package added

import (
	"fmt"
	"strings"
)

// amountOf is a number of bytes for people.
func amountOf(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// packagesOf are names of packages for people.
func packagesOf(names []string) string {
	const shown = 5
	if len(names) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}

// packageCount is a number of packages for people.
func packageCount(n int) string {
	if n == 1 {
		return "1 package"
	}
	return fmt.Sprintf("%d packages", n)
}
