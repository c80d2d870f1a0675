package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// Handler answers HTTP requests for the artifacts of flavours:
//
//	/FLAVOUR/NAME         an artifact that is a file
//	/FLAVOUR/NAME/PATH    a file of a repository or directory
//	/FLAVOUR/SHA256SUMS   of the artifacts that are files, as sha256sum writes it
//	/NAME, /NAME/PATH     the same, of the first flavour that has that artifact
//	/FLAVOUR/build.json   the public part of its manifest
//	/FLAVOUR/report.html  its report, if somebody put it there
//	/FLAVOUR/extend/...   files of images of packages, as [extend.Dir] has them
//	/extend/...           the same, of the flavour that has them
//	/FLAVOUR/pool/...     files of pools, as [extend.PoolDir] has them
//	/pool/...             the same, of the flavour that has them
//	/index.json, /        what there is, for programs and for people
//	/healthz, /metrics    for programs that watch the server
//
// Everything else is not found. Where [Handler.Extend] was called, images of packages are asked for by POST at /FLAVOUR/extend and /extend. It may be used by many requests at once.
type Handler struct {
	root     string
	flavours []string // nil: all
	log      func(string)
	base     string // "" for what a client asks for
	account  account
	// extending is nil if no images of packages are made.
	extending *extending

	mu    sync.Mutex
	list  *listing
	noted map[string]bool
}

// New returns a Handler for the output directory root, which must exist. Of the
// given flavours those are served that have been built, also if they are built
// later; nil means all there are. log gets what a user should know,
// each thing once: an artifact that two flavours have, a manifest that cannot
// be read. It may be nil.
func New(root string, flavours []string, log func(string)) (*Handler, error) {
	h, dir, err := begin(root, flavours, log)
	if err != nil {
		return nil, err
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

// begin makes a Handler that has read nothing, and opens its directory.
func begin(root string, flavours []string, log func(string)) (*Handler, *os.Root, error) {
	if log == nil {
		log = func(string) {}
	}
	h := &Handler{root: root, log: log, list: &listing{}, noted: map[string]bool{}}
	for _, name := range flavours {
		if !validName(name) {
			return nil, nil, fmt.Errorf("serving %s: %q is not the name of a flavour", root, name)
		}
		if !slices.Contains(h.flavours, name) {
			h.flavours = append(h.flavours, name)
		}
	}
	dir, err := os.OpenRoot(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, diag.Suggest(diag.Requestf("nothing was built yet, so there is nothing to serve: there is no directory %s", root), "FLAVOUR", "builds a flavour")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("serving %s: %w", root, err)
	}
	return h, dir, nil
}

// At sets the URL at which clients reach the handler, without a slash at the end, for the commands on the
// page: with another web server in front it is not the one that is asked for. It is called before
// the first request.
func (h *Handler) At(base string) { h.base = base }

// LogTo makes the handler write a line for each request to w, in the combined log
// format. It is called before the first request.
func (h *Handler) LogTo(w io.Writer) { h.account.log = w }

// Extend has images of packages made for clients that ask for them, until ctx ends or stop is called, which then waits for the
// jobs that run. It is called before the first request.
func (h *Handler) Extend(ctx context.Context, e Extender, rules *config.Extend) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	there := func(flavour string, r extend.Request) bool {
		root, err := os.OpenRoot(h.root)
		if err != nil {
			return false
		}
		defer root.Close()
		f := h.current(root).flavour(flavour)
		if f == nil {
			return false
		}
		_, ok := hasImage(root, f, r)
		return ok
	}
	var mu sync.Mutex
	h.extending = newExtending(ctx, e, rules, there, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		h.log(line)
	})
	context.AfterFunc(ctx, h.extending.queue.end)
	return func() {
		cancel()
		h.extending.queue.stop()
	}
}

// ServeHTTP answers GET and HEAD, with ranges and conditions.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	h.answer(rec, r)
	if err := h.account.add(r, rec, time.Now()); err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.note(fmt.Sprintf("writing the access log: %v", err))
	}
}

func (h *Handler) answer(w *recorder, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	names, ok := split(r.URL.Path)
	extends, asked := asks(names)
	if asked = asked && (h.extending != nil || r.Method == http.MethodPost); !h.takes(w, r, asked) {
		return
	}
	if !ok {
		notFound(w)
		return
	}
	// The directory is opened each time: a clean build may have replaced it.
	root, err := os.OpenRoot(h.root)
	if err == nil {
		defer root.Close()
	}
	if slices.Equal(names, []string{"healthz"}) {
		health(w, r, err)
		return
	}
	if err != nil {
		notFound(w)
		return
	}
	list := h.current(root)
	if asked {
		h.extending.answer(w, r, root, list, extends)
		return
	}
	if serveImage(w, r, root, list, names) || servePool(w, r, root, list, names) {
		return
	}
	if len(names) == 0 || len(names) == 1 && slices.Contains(reserved, names[0]) {
		h.own(w, r, root, list, names)
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
	a := f.artifact(names[0])
	if len(names) == 1 && serveBeside(w, r, root, f, a, names[0]) {
		return
	}
	if a == nil {
		notFound(w)
		return
	}
	serveArtifact(w, r, root, f, a, names[1:])
}

// takes refuses methods that are not answered. asked is true for a request for an image of packages.
func (h *Handler) takes(w http.ResponseWriter, r *http.Request, asked bool) bool {
	switch {
	case asked && h.extending == nil:
		off(w)
	case !asked && r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", onlyFiles)
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
	default:
		return true
	}
	return false
}

// health reports whether the output directory can be read, and not why it cannot.
func health(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		w.Header().Set("Cache-Control", "no-cache")
		http.Error(w, "the output directory cannot be read", http.StatusServiceUnavailable)
		return
	}
	serveText(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
}

// own answers with what is of the server and not of a flavour.
func (h *Handler) own(w http.ResponseWriter, r *http.Request, root *os.Root, list *listing, names []string) {
	switch {
	case len(names) == 0:
		w.Header().Set("Content-Security-Policy", policy)
		serveText(w, r, "text/html; charset=utf-8", list.html(view{
			base: h.reached(r), now: time.Now(), pulls: h.account.pulled, report: func(name string) bool { return hasReport(root, list.flavour(name)) },
		}))
	case names[0] == "index.json":
		serveText(w, r, "application/json", list.json())
	case names[0] == "metrics":
		serveText(w, r, metricsType, metrics(list, &h.account, h.extending))
	}
}

var hostName = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?$`)

// reached is the URL at which a client reached the server.
func (h *Handler) reached(r *http.Request) string {
	switch {
	case h.base != "":
		return h.base
	case !hostName.MatchString(r.Host): // people copy it into a shell
		return "http://SERVER"
	default:
		return "http://" + r.Host
	}
}

// beside are the types of files that are beside artifacts and not of them.
var beside = map[string]string{
	reportName: "text/html; charset=utf-8", publish.KeysName: "application/octet-stream",
	publish.SumsName + publish.SignatureSuffix: "application/pgp-signature",
}

// serveBeside answers with what is beside the artifacts of a flavour. It refuses if name is
// not of that. a is the artifact of this name, if there is one.
func serveBeside(w http.ResponseWriter, r *http.Request, root *os.Root, f *flavour, a *artifact, name string) bool {
	switch {
	case name == publish.SumsName:
		serveText(w, r, "text/plain; charset=utf-8", f.sums())
	case name == publish.SummaryName && a == nil:
		serveText(w, r, "application/json", f.summary.json())
	case beside[name] != "" && (name != reportName || hasReport(root, f)):
		file, info, err := open(root, f.name, &artifact{Name: name, Kind: plan.FileArtifact}, nil)
		if err != nil {
			return false
		}
		defer file.Close()
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Content-Type", beside[name])
		header.Set("Cache-Control", "no-cache")
		header.Set("Etag", entityTag(f, &artifact{}, info))
		http.ServeContent(w, r, "", noTime, file)
	default:
		return false
	}
	return true
}

// split takes a decoded URL path apart. It refuses any path with a hidden
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
// a name too, but signatures are added to it. Static deltas are called by their commits, and
// another version of ostree makes other ones.
var forever = regexp.MustCompile(`^objects/[0-9a-f]{2}/[0-9a-f]{62}\.(filez|dirtree|dirmeta|commit)$`)

var commitObject = regexp.MustCompile(`^objects/([0-9a-f]{2})/([0-9a-f]{62})\.commit$`)

// serveArtifact answers with an artifact, or with the file of it that below
// names.
func serveArtifact(w *recorder, r *http.Request, root *os.Root, f *flavour, a *artifact, below []string) {
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
	if m := commitObject.FindStringSubmatch(sub); m != nil && a.Kind == plan.RepositoryArtifact {
		w.pulled = pull{f.name, m[1] + m[2]}
	}
	if a.Kind == plan.RepositoryArtifact && forever.MatchString(sub) {
		header.Set("Cache-Control", immutable)
	}
	// No modification time is passed on. Builds set it to a constant, so that
	// If-Modified-Since would call a changed file unchanged.
	http.ServeContent(w, r, "", noTime, file)
}
