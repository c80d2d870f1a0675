package build

import (
	"github.com/treewright/treewright/builder/distro"
)

// PoolFile is a package of a pool.
type PoolFile struct {
	distro.Package
	// Path is relative to the directory of the pools, and slash-separated; see [extend.PoolDir].
	Path string
	// Size is in bytes, and SHA256 in hexadecimal.
	Size   int64
	SHA256 string
}

// PoolNames are the names of the files of a pool.
func PoolNames() distro.PoolNames { return Families[0].PoolNames() }

// ReadPool returns the packages of the pool of a commit. read reads a file of the index, such as "Release".
func ReadPool(commit string, read func(name string) ([]byte, error)) ([]PoolFile, error) {
	packages, err := Families[0].Pooled(commit, read)
	return poolFiles(Families[0], packages), err
}

func poolFiles(family distro.Pools, packages []distro.Archived) (files []PoolFile) {
	for _, p := range packages {
		files = append(files, PoolFile{p.Package, family.PooledFile(p), p.Size, p.SHA256})
	}
	return files
}
