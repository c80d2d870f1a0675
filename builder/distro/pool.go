package distro

import "time"

// PoolFiles is the directory with the packages of all pools of a flavour, beside the pools themselves.
const PoolFiles = "files"

// Pools publishes a family's packages for machines that may add them later. A pool is a directory with its own
// index. Its packages are in [PoolFiles] beside it, named by their SHA-256, so that pools share files.
type Pools interface {
	// PoolNames are the names of the files of a pool.
	PoolNames() PoolNames
	// PoolIndex returns the files of the pool of a commit, with packages that Fetch has brought. built is the build time of the newest of
	// them, and before returns the current content of a file of the pool, or nil without one.
	PoolIndex(commit string, packages []Archived, built time.Time, before func(name string) []byte) (PoolIndex, error)
	// Pooled reads the files of the pool of a commit. The packages have the descriptions of their archives. The
	// file of each is in [PoolFiles], with the name that [PooledFile] returns.
	Pooled(commit string, read func(name string) ([]byte, error)) ([]Archived, error)
	// PooledFile is the path of a package below the directory of the pools.
	PooledFile(p Archived) string
}

// PoolNames are the names of the files of a pool. A pool without signatures has the first two.
type PoolNames struct {
	// Packages is the list of packages, and Signed the file with the hash of the list.
	Packages, Signed string
	// Detached is an armoured signature of Signed, and Clear is the text of Signed with a signature in it. A pool can lack the latter.
	Detached, Clear string
}

// PoolIndex is the index by which programs find the packages of a pool.
type PoolIndex struct {
	// Files are the contents of files, by name.
	Files map[string][]byte
	// Packages are the paths of the packages, below what Fetch made, by those below the directory that the pool is in.
	Packages map[string]PoolPackage
}

// PoolPackage is the file of a package.
type PoolPackage struct{ From, SHA256 string }
