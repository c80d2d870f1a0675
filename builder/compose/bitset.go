package compose

import "math/bits"

// bitset is a set of small numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bitset) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) remove(i int)   { b[i/64] &^= 1 << (i % 64) }

// each calls f for every number in the set, in ascending order.
func (b bitset) each(f func(int)) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}

// takeMin removes the smallest number and returns it, or -1 from an empty set.
func (b bitset) takeMin() int {
	for w, word := range b {
		if word != 0 {
			b[w] = word & (word - 1)
			return w*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}
