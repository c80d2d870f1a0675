package config

import (
	"fmt"
	"strings"
)

// What is compared takes time that grows with both names' lengths, for each
// candidate.
const (
	longestGuess = 100
	mostGuesses  = 2000
)

// Suggest returns the candidate that was probably meant by name, or "" if none
// is near. Names that differ in case only are the nearest; then the fewest
// letters to put in, take out, change or swap count. Of equals, the first wins.
func Suggest(name string, candidates []string) string {
	best, at := "", len(name)/3+2
	if len(name) > longestGuess {
		return ""
	}
	for _, c := range candidates[:min(len(candidates), mostGuesses)] {
		if strings.EqualFold(name, c) {
			return c
		}
		if longer := len(c) - len(name); longer >= at || -longer >= at {
			continue // that many letters to put in or take out alone
		}
		if d := distance(name, c); d < at && d < len(c) {
			best, at = c, d
		}
	}
	return best
}

// Begun returns the candidates that begin with a name of at least three letters.
func Begun(name string, candidates []string) (begun []string) {
	for _, c := range candidates {
		if len(name) >= 3 && strings.HasPrefix(c, name) {
			begun = append(begun, c)
		}
	}
	return begun
}

// DidYouMean returns the end of a message on an unknown name: empty, or a sentence
// that begins with a blank.
func DidYouMean(name string, candidates []string) string {
	if s := Suggest(name, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

// distance is the number of edits between two names, in bytes, where swapping
// two neighbours is one edit: that is how people mistype.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
