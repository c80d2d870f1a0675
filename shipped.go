// Package treewright is what is shipped with the program: the features and the
// flavours of this repository.
//
// The one idea: what is shipped is listed, here and nowhere else. What somebody adds
// to features/ or flavours/ of a clone is not: neither the program nor a test gets it
// by accident.
package treewright

import (
	"bytes"
	"embed"
	"io/fs"
	"testing/fstest"
)

// Directories are named one by one, and "all:" is for names that begin with "_" or
// ".". Go leaves out symbolic links and directories with a go.mod without a word;
// shipped_test.go compares with git.
//
//go:embed all:features/_dev
//go:embed all:features/base
//go:embed all:features/layering
//go:embed all:features/ostreeImage
//go:embed all:features/ostreeRepo
//go:embed all:features/podman
//go:embed all:features/sysext-debug
//go:embed all:features/sysext-hello
//go:embed flavours/debian-matrix.yaml
//go:embed flavours/debian-testing-amd64-dev.hcl
//go:embed flavours/debian-testing-amd64-ostree.hcl
//go:embed flavours/debian-testing-arm64-ostree.hcl
//go:embed flavours/debian-trixie-amd64-ostree.hcl
var embedded embed.FS

// links are the symbolic links, which cannot be embedded.
var links = map[string]string{
	"features/sysext-hello/file.include/usr/lib/systemd/system/timers.target.upholds/hello.timer": "../hello.timer",
}

// Tree is the configuration tree that is shipped: features/ and flavours/ as git has
// them, with permissions and links. Programs are what begins with "#!": Go embeds
// contents alone.
func Tree() fs.FS {
	tree := fstest.MapFS{}
	err := fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			tree[name] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
			return nil
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if bytes.HasPrefix(content, []byte("#!")) {
			mode = 0o755
		}
		tree[name] = &fstest.MapFile{Data: content, Mode: mode}
		return nil
	})
	if err != nil {
		panic(err) // it is part of the program
	}
	for name, target := range links {
		tree[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	return tree
}
