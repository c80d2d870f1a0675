package serve

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/plan"
)

func notFound(w http.ResponseWriter) { http.Error(w, "not found", http.StatusNotFound) }

// open opens a regular file and nothing else, and follows no symbolic link
// that leads out of the artifact.
func open(root *os.Root, flavour string, a *artifact, below []string) (*os.File, fs.FileInfo, error) {
	dir, err := root.OpenRoot(flavour)
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	info, err := dir.Lstat(a.Name)
	if err != nil {
		return nil, nil, err
	}
	name := a.Name
	switch {
	case len(below) == 0 && !info.Mode().IsRegular(), len(below) > 0 && !info.IsDir():
		return nil, nil, fmt.Errorf("%s is not a %s", a.Name, a.Kind)
	case len(below) > 0:
		inside, err := dir.OpenRoot(a.Name)
		if err != nil {
			return nil, nil, err
		}
		defer inside.Close()
		dir, name = inside, path.Join(below...)
	}
	// Opening a FIFO would wait for a writer.
	file, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err = file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// entityTag names a file's content. The manifest's checksum is taken for an
// artifact only if the file was there before the manifest was: a build writes
// the manifest last, and until then the checksum describes the old file.
func entityTag(f *flavour, a *artifact, info fs.FileInfo) string {
	if a.Kind == plan.FileArtifact && a.SHA256 != "" && a.Size == info.Size() && changeTime(info).Before(f.changed) {
		return `"` + a.SHA256 + `"`
	}
	return fmt.Sprintf(`"%x-%x"`, info.Size(), changeTime(info).UnixNano())
}

// types are the media types by the end of a name. They are written down here
// because the host's table differs from host to host. Only the page and
// reports are served as HTML.
var types = map[string]string{
	".json": "application/json",
	".txt":  "text/plain; charset=utf-8",
	".log":  "text/plain; charset=utf-8",
	".gz":   "application/gzip",
	".tgz":  "application/gzip",
	".tar":  "application/x-tar",
	".zst":  "application/zstd",
	".xz":   "application/x-xz",
	".asc":  "application/pgp-signature",
	".gpg":  "application/pgp-signature",
	".sig":  "application/pgp-signature",
}

func contentType(a *artifact, sub string) string {
	if a.Kind == plan.RepositoryArtifact {
		if sub == "config" || strings.HasPrefix(sub, "refs/") {
			return "text/plain; charset=utf-8"
		}
		return "application/octet-stream"
	}
	if t := types[path.Ext(path.Join(a.Name, sub))]; t != "" {
		return t
	}
	return "application/octet-stream"
}
