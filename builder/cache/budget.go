package cache

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Budget is how much space a cache may take. The zero value is the default.
type Budget struct {
	bytes int64
	share float64 // of the file system, if not 0
	none  bool
}

const (
	defaultShare = 0.25
	// defaultLeast is what a build of a large flavour takes a few times over: on
	// a small disk a quarter is less than that.
	defaultLeast = 8 << 30
)

var (
	budgetSize  = regexp.MustCompile(`^(\d+(?:\.\d+)?)([kmgt])(i?)b?$`)
	budgetShare = regexp.MustCompile(`^(\d+(?:\.\d+)?)%$`)
	leadingSize = regexp.MustCompile(`^(\d+(?:\.\d+)?)([kmgt]?)`)
)

// leastBudget is what nobody means who sets a budget.
const leastBudget = 1e6

// ParseBudget reads a size (20G, 20GiB), a share of the file system (30%), or
// none; "" is the default.
func ParseBudget(text string) (Budget, error) {
	word := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	switch word {
	case "":
		return Budget{}, nil
	case "none":
		return Budget{none: true}, nil
	}
	if m := budgetShare.FindStringSubmatch(word); m != nil {
		if share, err := strconv.ParseFloat(m[1], 64); err == nil && share >= 0.1 && share <= 100 {
			return Budget{share: share / 100}, nil
		}
		return Budget{}, fmt.Errorf("a cache cannot have %s of a disk: it can have from 0.1%% to 100%%, or none as its budget, which is not a limit", text)
	}
	if m := budgetSize.FindStringSubmatch(word); m != nil {
		thousand := 1000.0
		if m[3] != "" {
			thousand = 1024
		}
		if n := sizeOf(m[1], m[2], thousand); n > 0 {
			return Budget{bytes: n}, nil
		}
		return Budget{}, fmt.Errorf("%q cannot be the size of a cache: give a size like 20G, a share of the disk like 30%%, or none for no limit", text)
	}
	return Budget{}, fmt.Errorf("%q is neither a size (20G, 500M), nor a share of the disk (30%%), nor none; did you mean %q?", text, meant(word))
}

// meant is what somebody may have meant who wrote what is not a budget.
func meant(word string) string {
	m := leadingSize.FindStringSubmatch(word)
	if m == nil {
		return "none"
	}
	for _, unit := range []string{m[2], "g"} {
		if unit != "" && sizeOf(m[1], unit, 1000) > 0 {
			return m[1] + strings.ToUpper(unit)
		}
	}
	return "20G"
}

// sizeOf is a size in bytes, or 0 if no cache has it. The unit is a letter of
// "kmgt", in powers of thousand.
func sizeOf(number, unit string, thousand float64) int64 {
	n, err := strconv.ParseFloat(number, 64)
	n *= math.Pow(thousand, float64(1+strings.Index("kmgt", unit)))
	if err != nil || n < leastBudget || n >= math.MaxInt64 {
		return 0
	}
	return int64(n)
}

// Of returns the budget in bytes on a file system of so many; -1 is not a limit.
func (b Budget) Of(size int64) int64 {
	switch {
	case b.none:
		return -1
	case b.bytes > 0:
		return b.bytes
	case b.share > 0:
		return int64(b.share * float64(size))
	}
	return max(int64(defaultShare*float64(size)), defaultLeast)
}

// String describes where the budget comes from: "30% of the disk".
func (b Budget) String() string {
	switch {
	case b.none:
		return "no limit"
	case b.bytes > 0:
		return "as it was set"
	case b.share > 0:
		return strconv.FormatFloat(100*b.share, 'f', -1, 64) + "% of the disk"
	}
	return "a quarter of the disk, and at least 8 GiB"
}
