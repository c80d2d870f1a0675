package diag

// OfPaths is an error about files of a tree. Who has the layers of the tree can say which
// step made them.
type OfPaths struct {
	// Paths are absolute within the tree, as a machine has them.
	Paths []string
	Err   error
}

// Error implements error.
func (e *OfPaths) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *OfPaths) Unwrap() error { return e.Err }
