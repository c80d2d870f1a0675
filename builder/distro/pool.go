package distro

import "time"

// PoolFiles is the directory with the packages of all pools of a flavour, beside the pools themselves.
const PoolFiles = "files"

// Pools is how a family's packages are published for machines that may add them later. A pool is a directory with an index of
// its own. Its packages are in [PoolFiles] beside it, each called by its SHA-256, so that several pools share one.
type Pools interface {
	// PoolIndex returns the files of the pool of a commit, with packages that Fetch has brought. built is when the newest of them was built,
	// and before returns a file that the pool has now, nil for none.
	PoolIndex(commit string, packages []Archived, built time.Time, before func(name string) []byte) (PoolIndex, error)
	// Pooled reads the files of a pool. The packages are as the archives describe them that they are from. The
	// file of each is in [PoolFiles], as [PooledFile] calls it.
	Pooled(read func(name string) ([]byte, error)) ([]Archived, error)
	// PooledFile is the path of a package below the directory that pools are in.
	PooledFile(p Archived) string
}

// PoolIndex is how programs find the packages of a pool.
type PoolIndex struct {
	// Files are the contents of files, by name.
	Files map[string][]byte
	// Signed is the one of them that is signed. Clear is the name of the file that has its text with the signature in it,
	// Detached that of a file with an armoured signature alone; either of them will do.
	Signed, Clear, Detached string
	// Packages are the paths of the packages, below what Fetch made, by those below the directory that the pool is in.
	Packages map[string]PoolPackage
}

// PoolPackage is the file of a package.
type PoolPackage struct{ From, SHA256 string }
