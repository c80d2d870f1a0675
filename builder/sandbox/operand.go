package sandbox

// operand is a path among the arguments of a system call.
type operand struct {
	// dir is the argument with the descriptor of the directory that the path is
	// relative to, or none; path is the argument with the path's address.
	dir, path int
	// content: what the call gives, or leaves, depends on more than lstat(2) reports.
	content bool
}

const none = -1
