package extension

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treefs"
)

// kernelModule matches a kernel module; the first group is the kernel's version.
var kernelModule = regexp.MustCompile(`^usr/lib/modules/([^/]+)/.*\.ko(\.xz|\.zst|\.gz)?$`)

// newModules are the kernel modules that the extension brings, by the kernel's
// version. Those for another kernel than the system's are an error, as they
// would never be loaded.
func (t extensionTrees) kernelModules(ctx context.Context, skip func(rel string) bool) (map[string][]string, error) {
	found := map[string][]string{}
	err := walkTree(ctx, filepath.Join(t.extended, "usr/lib/modules"), func(rel string, d fs.DirEntry) error {
		rel = "usr/lib/modules/" + rel
		if skip(rel) {
			return skipped(d)
		}
		if m := kernelModule.FindStringSubmatch(rel); m != nil && !treefs.Exists(filepath.Join(t.committed, rel)) {
			found[m[1]] = append(found[m[1]], rel)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	kernels, err := layer.Glob(t.committed, "usr/lib/modules/*/vmlinuz")
	if err != nil {
		return nil, err
	}
	for version, modules := range found {
		if treefs.Exists(filepath.Join(t.committed, "usr/lib/modules", version)) {
			continue
		}
		var have []string
		for _, k := range kernels {
			have = append(have, filepath.Base(filepath.Dir(k)))
		}
		return nil, fmt.Errorf("the extension has kernel modules for the kernel %s (/%s, %d in all), but the system has the kernel %s, which never loads them",
			version, modules[0], len(modules), strings.Join(have, ", "))
	}
	return found, nil
}

// triplets are the names of Debian's directories for libraries.
var triplets = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

// lostLibraries finds libraries that no program would find on a machine: those in
// directories that only /etc/ld.so.conf leads to. The linker's cache, which is made
// from that, is a file of the machine's /etc and does not leave; without an
// entry in it the linker looks into its own directories only (ld.so(8)).
func (t extensionTrees) lostLibraries(files []leaving, arch string) ([]string, error) {
	directories := map[string]string{} // directory -> the file that lists it
	if err := t.libraryDirectories("etc/ld.so.conf", directories, 0); err != nil {
		return nil, err
	}
	for _, dir := range []string{"usr/lib", "usr/lib/" + triplets[arch]} {
		delete(directories, dir)
	}
	var lost []string
	for _, f := range files {
		conf, ok := directories[path.Dir(f.path)]
		if ok && !f.directory && (strings.HasSuffix(f.path, ".so") || strings.Contains(path.Base(f.path), ".so.")) {
			lost = append(lost, fmt.Sprintf("/%s: programs would not find it, because only /%s names its directory, and the linker's cache that is made from this file belongs to the machine", f.path, conf))
		}
	}
	return lost, nil
}

// libraryDirectories reads a file of the syntax of ld.so.conf (ldconfig(8)). Directories
// are noted as they are without links (/lib is /usr/lib).
func (t extensionTrees) libraryDirectories(conf string, into map[string]string, depth int) error {
	if t.ignored[conf] {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(t.extended, conf))
	if errors.Is(err, fs.ErrNotExist) || depth > 4 {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n,:", r) })
		if len(fields) > 1 && fields[0] == "include" {
			for _, pattern := range fields[1:] {
				if !path.IsAbs(pattern) {
					pattern = path.Join(path.Dir(conf), pattern)
				}
				found, err := layer.Glob(t.extended, strings.TrimPrefix(pattern, "/"))
				if err != nil {
					return err
				}
				slices.Sort(found)
				for _, file := range found {
					rel, err := filepath.Rel(t.extended, file)
					if err != nil {
						return err
					}
					if err := t.libraryDirectories(rel, into, depth+1); err != nil {
						return err
					}
				}
			}
			continue
		}
		for _, dir := range fields {
			way, err := machine.Follow(t.extended, strings.TrimPrefix(dir, "/"))
			if err != nil {
				return err
			}
			if len(way) > 0 {
				into[way[len(way)-1]] = conf
			}
		}
	}
	return nil
}
