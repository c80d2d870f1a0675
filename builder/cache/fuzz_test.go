package cache

import (
	"regexp"
	"testing"
)

// FuzzParseBudget: a budget leaves space on any disk that a cache is on, and what
// a fault proposes in its place is a budget.
func FuzzParseBudget(f *testing.F) {
	for _, text := range []string{"", "20G", "1.5 TiB", "30%", "0.0000000001%", "none", "20gigs", "1k", "0", "99999999999999999999"} {
		f.Add(text)
	}
	proposed := regexp.MustCompile(`did you mean "([^"]*)"\?$`)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBudget(text)
		if err == nil {
			if n := b.Of(100e9); n != -1 && n < leastBudget {
				t.Errorf("%q is %d bytes of a disk of 100 GB", text, n)
			}
			return
		}
		if m := proposed.FindStringSubmatch(err.Error()); m != nil {
			if _, err := ParseBudget(m[1]); err != nil {
				t.Errorf("%q: %q is proposed, and %v", text, m[1], err)
			}
		}
	})
}
