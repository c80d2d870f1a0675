package config

import (
	"sort"
	"unicode/utf8"
)

// runeIndex finds characters of a text by their number, and counts those before a
// place, without going through all of a long line each time.
type runeIndex struct {
	src []byte
	// ascii reports that each character is one byte.
	ascii bool
	// before is how many characters begin before each multiple of runeStep.
	before []int
}

const runeStep = 512

func newRuneIndex(src []byte) *runeIndex {
	x := &runeIndex{src: src, ascii: true, before: make([]int, 0, len(src)/runeStep+1)}
	n := 0
	for i, c := range src {
		if i%runeStep == 0 {
			x.before = append(x.before, n)
		}
		if utf8.RuneStart(c) {
			n++
		}
		x.ascii = x.ascii && c < utf8.RuneSelf
	}
	return x
}

// count is how many characters begin before an offset.
func (x *runeIndex) count(offset int) int {
	if x.ascii {
		return min(offset, len(x.src))
	}
	i := min(offset/runeStep, len(x.before)-1)
	n := x.before[i]
	for _, c := range x.src[i*runeStep : min(offset, len(x.src))] {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}

// find is the offset at which the character of a number begins, counted from 0,
// or the text's length.
func (x *runeIndex) find(number int) int {
	if x.ascii {
		return min(number, len(x.src))
	}
	i := sort.SearchInts(x.before, number+1) - 1
	if i < 0 {
		return 0
	}
	n := x.before[i]
	for at := i * runeStep; at < len(x.src); at++ {
		if utf8.RuneStart(x.src[at]) {
			if n == number {
				return at
			}
			n++
		}
	}
	return len(x.src)
}
