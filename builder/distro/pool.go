package distro

import "time"

// PoolFiles is the directory with the packages of all pools of a flavour, beside the pools themselves.
const PoolFiles = "files"

// Pools publishes a family's packages for machines that may add them later. A pool is a directory with its own
// index. Its packages are in [PoolFiles] beside it, named by their SHA-256, so that pools share files.
type Pools interface {
	// PoolIndex returns the files of the pool of a commit, with packages that Fetch has brought. built is the build time of the newest of
	// them, and before returns the current content of a file of the pool, or nil without one.
	PoolIndex(commit string, packages []Archived, built time.Time, before func(name string) []byte) (PoolIndex, error)
	// Pooled reads the files of a pool. The packages have the descriptions of their archives. The
	// file of each is in [PoolFiles], with the name that [PooledFile] returns.
	Pooled(read func(name string) ([]byte, error)) ([]Archived, error)
	// PooledFile is the path of a package below the directory of the pools.
	PooledFile(p Archived) string
}

// PoolIndex is the index by which programs find the packages of a pool.
type PoolIndex struct {
	// Files are the contents of files, by name.
	Files map[string][]byte
	// Signed is the name of the file that is signed. Clear is the name of the file that has its text with the signature in it,
	// Detached the name of the file with only an armoured signature; one of the two is sufficient.
	Signed, Clear, Detached string
	// Packages are the paths of the packages, below what Fetch made, by those below the directory that the pool is in.
	Packages map[string]PoolPackage
}

// PoolPackage is the file of a package.
type PoolPackage struct{ From, SHA256 string }
