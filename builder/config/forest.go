package config

import (
	"io/fs"
	"path"
	"strings"
)

// Forest is the own tree together with those that it uses. A name in it is that of a
// file in its tree after the tree's Prefix, and it is what messages show. Links lead
// nowhere but within their own tree.
type Forest struct{ Roots []*Root }

// Find returns the tree that a name is in, and the name there.
func (f *Forest) Find(name string) (*Root, string) {
	best := f.Roots[0]
	for _, r := range f.Roots[1:] {
		if len(r.Prefix) > len(best.Prefix) && strings.HasPrefix(name+"/", r.Prefix) {
			best = r
		}
	}
	if name+"/" == best.Prefix {
		return best, "."
	}
	return best, path.Clean(strings.TrimPrefix(name, best.Prefix))
}

// Open implements [fs.FS], and the methods below its extensions.
func (f *Forest) Open(name string) (fs.File, error) {
	r, name := f.Find(name)
	return r.FS.Open(name)
}

// ReadDir implements [fs.ReadDirFS].
func (f *Forest) ReadDir(name string) ([]fs.DirEntry, error) {
	r, name := f.Find(name)
	return fs.ReadDir(r.FS, name)
}

// ReadFile implements [fs.ReadFileFS].
func (f *Forest) ReadFile(name string) ([]byte, error) {
	r, name := f.Find(name)
	return fs.ReadFile(r.FS, name)
}

// Stat implements [fs.StatFS].
func (f *Forest) Stat(name string) (fs.FileInfo, error) {
	r, name := f.Find(name)
	return fs.Stat(r.FS, name)
}

// Lstat implements [fs.ReadLinkFS].
func (f *Forest) Lstat(name string) (fs.FileInfo, error) {
	r, name := f.Find(name)
	return fs.Lstat(r.FS, name)
}

// ReadLink implements [fs.ReadLinkFS].
func (f *Forest) ReadLink(name string) (string, error) {
	r, name := f.Find(name)
	return fs.ReadLink(r.FS, name)
}
