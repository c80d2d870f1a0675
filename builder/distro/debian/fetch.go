package debian

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

const fetchWorkers = 8

// Fetch makes the directory out into a flat package repository: the packages that
// the index (a Packages file) lists as pool/NAME_VERSION_ARCH.deb, and Packages
// itself. Files that are not in the cache are downloaded, several at a time,
// and each is checked against its size and SHA-256. It returns the newest build
// date of the packages, in seconds since 1970. Tries that fail are reported to say.
func (Family) Fetch(ctx context.Context, index []byte, out string, h distro.FetchHints, progress func(done, total int64), say func(string)) (epoch int64, err error) {
	client := Policy{Options: h.Proxies, Auth: h.Secrets}.Client(download.Patient, say)
	for source, file := range h.CAs {
		if err := trust(client, file, h.Mirrors[source]...); err != nil {
			return 0, fmt.Errorf("fetch packages of the source %q: %w", source, err)
		}
	}
	return fetch(ctx, index, out, h, client, progress)
}

func fetch(ctx context.Context, index []byte, out string, h distro.FetchHints, client *download.Client, progress func(done, total int64)) (epoch int64, err error) {
	packages, err := parsePackages(index)
	if err != nil {
		return 0, err
	}
	f := fetcher{hints: h, client: client, progress: progress}
	for _, p := range packages {
		f.total += p.Size
	}
	if err := os.MkdirAll(filepath.Join(out, "pool"), 0o755); err != nil {
		return 0, fmt.Errorf("fetch: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		failures []error
		next     = make(chan distro.Archived)
	)
	for range min(fetchWorkers, len(packages)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for p := range next {
				built, err := f.one(ctx, p, out)
				mu.Lock()
				if err != nil && (ctx.Err() == nil || len(failures) == 0) {
					failures = append(failures, err)
					cancel()
				}
				epoch = max(epoch, built)
				mu.Unlock()
			}
		}()
	}
	for _, p := range packages {
		next <- p
	}
	close(next)
	wg.Wait()
	if len(failures) > 0 {
		return 0, errors.Join(failures...)
	}
	if err := finish(out, packages, time.Unix(epoch, 0)); err != nil {
		return 0, fmt.Errorf("fetch: %w", err)
	}
	return epoch, nil
}

// finish writes the index of a repository, and sets the times of the index and the directories. A worker on another machine gets the
// repository with these times. The times of the download would make the repository different on each machine.
func finish(out string, packages []distro.Archived, at time.Time) error {
	var repo strings.Builder
	for i, p := range packages {
		if i > 0 {
			repo.WriteByte('\n')
		}
		repo.WriteString(inPool(p))
	}
	err := os.WriteFile(filepath.Join(out, "Packages"), []byte(repo.String()), 0o644)
	for _, name := range []string{"pool", "Packages", "."} {
		if err == nil {
			err = os.Chtimes(filepath.Join(out, name), at, at)
		}
	}
	return err
}

// poolName is the package's usual file name; the colon of an epoch would upset
// apt's file: method.
func poolName(p distro.Archived) string {
	version := p.Version
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	return p.Name + "_" + version + "_" + p.Arch + ".deb"
}

// filenameLine is the field of a paragraph that says where the file is.
var filenameLine = regexp.MustCompile(`(?m)^Filename:.*$`)

// inPool is a package's paragraph with the file in the pool.
func inPool(p distro.Archived) string {
	return filenameLine.ReplaceAllLiteralString(p.Stanza, "Filename: pool/"+poolName(p))
}

type fetcher struct {
	hints    distro.FetchHints
	client   *download.Client
	progress func(done, total int64)
	done     atomic.Int64
	total    int64
}

func (f *fetcher) advance(n int64) { f.progress(f.done.Add(n), f.total) }

// one brings one package into out and returns its build date.
func (f *fetcher) one(ctx context.Context, p distro.Archived, out string) (built int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	cached := filepath.Join(f.hints.Cache, "sha256", p.SHA256[:2], p.SHA256)
	pooled := filepath.Join(out, "pool", poolName(p))
	if isLocal(p) {
		if err := takeLocal(p, f.hints.Local, pooled); err != nil {
			return 0, err
		}
		f.advance(p.Size)
		return dated(pooled)
	}
	if have(cached, pooled, p) {
		f.advance(p.Size)
		return buildDate(pooled)
	}
	what := fmt.Sprintf("fetch package %s %s", p.Name, p.Version)
	if err := f.client.Try(ctx, what, func() error { return f.download(ctx, p, cached, pooled) }); err != nil {
		return 0, fetchError(p, f.source(p), f.hints, err)
	}
	return buildDate(pooled)
}

// have takes a package from the cache, if it is there and good. It is linked
// first and looked at then: what is linked stays, also if another process frees space in the cache.
func have(cached, pooled string, p distro.Archived) bool {
	if os.Link(cached, pooled) != nil {
		return false
	}
	if fileHas(pooled, p) {
		return true
	}
	_ = os.Remove(pooled)
	return false
}

// fileHas reports whether path holds exactly the package's bytes.
func fileHas(path string, p distro.Archived) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, file)
	return err == nil && n == p.Size && hex.EncodeToString(h.Sum(nil)) == p.SHA256
}

// source is the name of the source that a package is from.
func (f *fetcher) source(p distro.Archived) string {
	if name := f.hints.From[p.SHA256]; name != "" {
		return name
	}
	return distro.MainSource
}

// download brings a package from the first place that has it: its source's mirrors, then
// the snapshot archives.
func (f *fetcher) download(ctx context.Context, p distro.Archived, cached, pooled string) error {
	if f.hints.Pools != "" {
		place := (&url.URL{Scheme: "file", Path: f.hints.Pools + "/" + poolFile(p)}).String()
		if err := f.downloadFrom(ctx, place, p, cached, pooled); err == nil || ctx.Err() != nil {
			return err
		}
	}
	name := f.source(p)
	mirrors := f.hints.Mirrors[name]
	if len(mirrors) == 0 {
		return download.Permanent(fmt.Errorf("nothing says where the source %q is", name))
	}
	var places []string
	for _, mirror := range mirrors {
		places = append(places, mirror+"/"+(&url.URL{Path: strings.TrimPrefix(p.Filename, "./")}).EscapedPath())
	}
	var failures []error
	for _, place := range append(places, f.snapshots(p, mirrors[0])...) {
		err := f.downloadFrom(ctx, place, p, cached, pooled)
		if err == nil || ctx.Err() != nil {
			return err
		}
		failures = append(failures, err)
	}
	// As long as one of them may still bring it, it is worth another try.
	passing := slices.DeleteFunc(slices.Clone(failures), download.Lasting)
	if len(passing) > 0 {
		return errors.Join(passing...)
	}
	return errors.Join(failures...)
}

// snapshots are the URLs of a package in snapshot archives.
func (f *fetcher) snapshots(p distro.Archived, mirror string) []string {
	var places []string
	for _, template := range f.hints.Snapshots {
		if place, ok := distro.Snapshot(template.URL, p, mirror, f.hints.Dates[p.SHA256]); ok {
			places = append(places, place)
		}
	}
	return places
}

// signer names what has the size and hash that a package must have.
func (f *fetcher) signer() string {
	if f.hints.Pins != nil {
		return "lock"
	}
	return "signed index"
}

func (f *fetcher) downloadFrom(ctx context.Context, source string, p distro.Archived, cached, pooled string) (err error) {
	if err := os.MkdirAll(filepath.Dir(cached), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(cached), ".download-*")
	if err != nil {
		return err
	}
	var got int64
	defer func() {
		tmp.Close()
		if err != nil {
			os.Remove(tmp.Name())
			f.advance(-got)
		}
	}()
	body, err := f.open(ctx, source)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	defer body.Close()
	h := sha256.New()
	counted := writerFunc(func(b []byte) (int, error) {
		got += int64(len(b))
		if got > p.Size {
			return 0, download.Permanent(otherFile{fmt.Errorf("longer than the %d bytes of the %s", p.Size, f.signer())})
		}
		f.advance(int64(len(b)))
		return len(b), nil
	})
	if _, err := io.Copy(io.MultiWriter(counted, h, tmp), body); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	if got != p.Size {
		return fmt.Errorf("%s: ends after %d of %d bytes", source, got, p.Size)
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != p.SHA256 {
		return download.Doubtful(otherFile{fmt.Errorf("%s: wrong checksum: the SHA-256 is %s, but the %s has %s", source, sum, f.signer(), p.SHA256)})
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	_, _ = dated(tmp.Name()) // the caller finds out if it is not a package
	return place(tmp.Name(), cached, pooled, p)
}

// place gives a downloaded file its names, in the pool and in the cache, unless
// another build has brought the same one there meanwhile: then that one serves
// both.
func place(tmp, cached, pooled string, p distro.Archived) error {
	err := os.Link(tmp, cached)
	if errors.Is(err, fs.ErrExist) {
		if have(cached, pooled, p) {
			return os.Remove(tmp)
		}
		// What is there is bad.
		if err = os.Link(tmp, pooled); err == nil {
			err = os.Rename(tmp, cached)
		}
		return err
	}
	if err == nil {
		// The one in the cache may be gone by now.
		err = os.Rename(tmp, pooled)
	}
	return err
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }

func (f *fetcher) open(ctx context.Context, source string) (io.ReadCloser, error) {
	path, local := strings.CutPrefix(source, "file://")
	if !local {
		return f.client.Open(ctx, source)
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return nil, download.Permanent(err)
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = otherFile{err}
	}
	return file, err
}

// buildDate returns when a .deb was built: the date of its first ar member,
// which dpkg-deb sets from the changelog (SOURCE_DATE_EPOCH). See deb(5), ar(5).
func buildDate(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return readBuildDate(bufio.NewReaderSize(file, 128))
}

// dated sets the time of a .deb to the time at which it was built, and returns this time. The file must not be in a result yet, because the
// index of a result has the times of files.
func dated(path string) (built int64, err error) {
	if built, err = buildDate(path); err == nil {
		at := time.Unix(built, 0)
		err = os.Chtimes(path, at, at)
	}
	return built, err
}

func readBuildDate(r io.Reader) (int64, error) {
	head := make([]byte, 8+60)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, fmt.Errorf("read package: %w", err)
	}
	if string(head[:8]) != "!<arch>\n" || string(head[66:68]) != "`\n" {
		return 0, errors.New("read package: not an ar archive")
	}
	date, err := strconv.ParseInt(strings.TrimSpace(string(head[8+16:8+28])), 10, 64)
	if err != nil || date < 0 {
		return 0, fmt.Errorf("read package: bad date %q", head[8+16:8+28])
	}
	return date, nil
}

// takeLocal brings a local package into the pool, from the directory that has it
// under its hash.
func takeLocal(p distro.Archived, dir, pooled string) error {
	file := filepath.Join(dir, p.SHA256)
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("package %s is not the file that it was when the build began; start again", p.Package)
	}
	defer in.Close()
	out, err := os.OpenFile(pooled, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err == nil && !fileHas(pooled, p) {
		return fmt.Errorf("package %s is not the file that it was when the build began; start again", p.Package)
	}
	return err
}
