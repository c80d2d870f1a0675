package debian

import (
	"cmp"
	"strings"
)

// CompareVersions orders versions of packages as dpkg does (Debian policy, 5.6.12).
func CompareVersions(a, b string) int {
	epochA, restA := cutEpoch(a)
	epochB, restB := cutEpoch(b)
	upstreamA, revisionA := cutRevision(restA)
	upstreamB, revisionB := cutRevision(restB)
	return cmp.Or(compareParts(epochA, epochB), compareParts(upstreamA, upstreamB), compareParts(revisionA, revisionB))
}

func cutEpoch(v string) (epoch, rest string) {
	if epoch, rest, ok := strings.Cut(v, ":"); ok {
		return epoch, rest
	}
	return "", v
}

func cutRevision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// compareParts compares what is not a digit, then a number, and so on by turns.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		textA, restA := cutText(a)
		textB, restB := cutText(b)
		if c := compareText(textA, textB); c != 0 {
			return c
		}
		numberA, restA := cutNumber(restA)
		numberB, restB := cutNumber(restB)
		if c := cmp.Or(cmp.Compare(len(numberA), len(numberB)), strings.Compare(numberA, numberB)); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return 0
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// cutText cuts off what is in front of the first digit.
func cutText(s string) (text, rest string) {
	if i := strings.IndexFunc(s, isDigit); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// cutNumber cuts off the digits at the front; zeros in front of others do not count.
func cutNumber(s string) (number, rest string) {
	rest = strings.TrimLeftFunc(s, isDigit)
	return strings.TrimLeft(s[:len(s)-len(rest)], "0"), rest
}

// compareText has "~" before the end, letters before all other characters.
func compareText(a, b string) int {
	for i := 0; i < len(a) || i < len(b); i++ {
		if c := cmp.Compare(rank(a, i), rank(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

func rank(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 'a' && s[i] <= 'z':
		return int(s[i])
	}
	return int(s[i]) + 256
}
