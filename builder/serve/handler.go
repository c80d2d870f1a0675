package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// Handler answers HTTP requests for the artifacts of flavours:
//
//	/FLAVOUR/NAME         an artifact that is a file
//	/FLAVOUR/NAME/PATH    a file of a repository or directory
//	/FLAVOUR/SHA256SUMS   of the artifacts that are files, as sha256sum writes it
//	/NAME, /NAME/PATH     the same, of the first flavour that has that artifact
//	/index.json, /        what there is, for programs and for people
//
// Everything else is not found. It may be used by many requests at once.
type Handler struct {
	root     string
	flavours []string // nil: all
	log      func(string)

	mu    sync.Mutex
	list  *listing
	noted map[string]bool
}

// New returns a Handler for the output directory root, which must exist. Of the
// given flavours those are served that have been built, also if they are built
// later; nil stands for all there are. log is told what a user should know,
// each thing once: an artifact that two flavours have, a manifest that cannot
// be read. It may be nil.
func New(root string, flavours []string, log func(string)) (*Handler, error) {
	if log == nil {
		log = func(string) {}
	}
	h := &Handler{root: root, log: log, list: &listing{}, noted: map[string]bool{}}
	for _, name := range flavours {
		if !validName(name) {
			return nil, fmt.Errorf("serving %s: %q is not the name of a flavour", root, name)
		}
		if !slices.Contains(h.flavours, name) {
			h.flavours = append(h.flavours, name)
		}
	}
	dir, err := os.OpenRoot(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("serving %s: nothing was built yet: %w", root, err)
	}
	if err != nil {
		return nil, fmt.Errorf("serving %s: %w", root, err)
	}
	defer dir.Close()
	list := h.current(dir)
	for _, name := range h.flavours {
		if list.flavour(name) != nil {
			continue
		}
		if _, err := dir.Lstat(path.Join(name, publish.ManifestName)); err == nil {
			h.note(name + " was built by an earlier version of treewright: it is served after it is built again")
		} else {
			h.note(name + " was not built yet: it is served after it is built")
		}
	}
	return h, nil
}

// ServeHTTP answers GET and HEAD, with ranges and conditions.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	names, ok := split(r.URL.Path)
	if !ok {
		notFound(w)
		return
	}
	// The directory is opened each time: a clean build may have replaced it.
	root, err := os.OpenRoot(h.root)
	if err != nil {
		notFound(w)
		return
	}
	defer root.Close()
	list := h.current(root)
	switch {
	case len(names) == 0:
		serveText(w, r, "text/html; charset=utf-8", list.page())
		return
	case len(names) == 1 && names[0] == "index.json":
		serveText(w, r, "application/json", list.json())
		return
	}
	f := list.flavour(names[0])
	if f != nil {
		names = names[1:]
	} else {
		f = list.short[names[0]]
	}
	if f == nil || len(names) == 0 {
		notFound(w)
		return
	}
	if len(names) == 1 && names[0] == publish.SumsName {
		serveText(w, r, "text/plain; charset=utf-8", f.sums())
		return
	}
	a := f.artifact(names[0])
	if a == nil {
		notFound(w)
		return
	}
	serveArtifact(w, r, root, f, a, names[1:])
}

func notFound(w http.ResponseWriter) { http.Error(w, "not found", http.StatusNotFound) }

// split takes a decoded URL path apart. It says no to any path with a hidden
// name in it, or with "." or "..". Two slashes in a row are one, as a remote's
// URL may end in a slash.
func split(urlPath string) ([]string, bool) {
	if urlPath == "/" {
		return nil, true
	}
	rest, ok := strings.CutPrefix(urlPath, "/")
	if !ok || strings.HasSuffix(rest, "/") {
		return nil, false
	}
	var names []string
	for name := range strings.SplitSeq(rest, "/") {
		if name == "" {
			continue
		}
		if name[0] == '.' || strings.ContainsRune(name, 0) {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// public names what a client may read of an OSTree repository; the rest (tmp,
// state, locks) is for the program that writes it. See ostree's
// manual, "Anatomy of an OSTree repository".
var public = []string{"config", "summary", "summary.sig", "objects", "deltas", "delta-indexes", "refs"}

// forever matches the files of a repository whose names are made of their
// content's checksum. The detached metadata of a commit (.commitmeta) has such
// a name too, but signatures are added to it.
var forever = regexp.MustCompile(`^(objects/[0-9a-f]{2}/[0-9a-f]{62}\.(filez|dirtree|dirmeta|commit)|deltas/.+)$`)

// serveArtifact answers with an artifact, or with the file of it that below
// names.
func serveArtifact(w http.ResponseWriter, r *http.Request, root *os.Root, f *flavour, a *artifact, below []string) {
	isFile := a.Kind == plan.FileArtifact
	if isFile != (len(below) == 0) || a.Kind == plan.RepositoryArtifact && !slices.Contains(public, below[0]) {
		notFound(w)
		return
	}
	file, info, err := open(root, f.name, a, below)
	if err != nil {
		// Not more than that: the reason may tell what is outside.
		notFound(w)
		return
	}
	defer file.Close()

	sub := strings.Join(below, "/")
	header := w.Header()
	header.Set("Content-Type", contentType(a, sub))
	header.Set("Etag", entityTag(f, a, info))
	header.Set("Cache-Control", "no-cache")
	if a.Kind == plan.RepositoryArtifact && forever.MatchString(sub) {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	// No modification time is passed on. Builds set it to a constant, so that
	// If-Modified-Since would call a changed file unchanged.
	http.ServeContent(w, r, "", noTime, file)
}

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
// the manifest last, and in between the checksum is that of the old file.
func entityTag(f *flavour, a *artifact, info fs.FileInfo) string {
	if a.Kind == plan.FileArtifact && a.SHA256 != "" && a.Size == info.Size() && changeTime(info).Before(f.changed) {
		return `"` + a.SHA256 + `"`
	}
	return fmt.Sprintf(`"%x-%x"`, info.Size(), changeTime(info).UnixNano())
}

// types are the media types by the end of a name. They are written down here
// because the host's table differs from host to host. Nothing is served as
// HTML but the index.
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
