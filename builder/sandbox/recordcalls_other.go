//go:build !amd64 && !arm64

package sandbox

// Nothing is recorded where the numbers of the calls are not known.
var (
	pathCalls map[uint32][]operand
	turning   []uint32
)

const newestCall = 0
