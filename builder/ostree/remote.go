package ostree

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/format"
)

// Remote is an archive repository on a server. Objects are fetched when they are asked for,
// and checked.
type Remote struct {
	ctx    context.Context
	client *download.Client
	url    string // without a slash at the end
	near   *Repository

	mu sync.Mutex
	// began has the beginnings of files' objects, by checksum.
	began map[string]beginning
}

// beginning is the beginning of a file's object.
type beginning struct {
	raw   []byte
	whole bool
}

// Bounds of what a server may send, in bytes. beginningSize is more than most headers need.
const (
	largestMetadata = 64 << 20
	largestConfig   = 1 << 20
	largestObject   = 256 << 20
	beginningSize   = 32 << 10
)

// OpenRemote opens the repository at a URL. Objects that the repository near, if it is not
// nil, has too are read there.
func OpenRemote(ctx context.Context, client *download.Client, source string, near *Repository) (*Remote, error) {
	r := &Remote{ctx: ctx, client: client, url: strings.TrimRight(source, "/"), near: near, began: map[string]beginning{}}
	shown := event.Mask(r.url)
	config, err := r.get("config", largestConfig)
	if download.NotFound(err) {
		return nil, fmt.Errorf("%s is not an OSTree repository: it has no file config (404)", shown)
	}
	if err != nil {
		return nil, err
	}
	switch mode := configMode(string(config)); mode {
	case "archive", "archive-z2":
		return r, nil
	case "":
		return nil, fmt.Errorf("%s is not an OSTree repository: its config has no mode", shown)
	default:
		return nil, fmt.Errorf("%s is an OSTree repository of mode %q, not archive", shown, mode)
	}
}

// get fetches a small file of the repository.
func (r *Remote) get(name string, limit int64) ([]byte, error) {
	raw, _, err := r.begin(name, limit)
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%s: %s has more than %d bytes", event.Mask(r.url), name, limit)
	}
	return raw, err
}

// begin fetches at most limit bytes of a file, and one more if there are more; whole
// reports whether that is all of it.
func (r *Remote) begin(name string, limit int64) (raw []byte, whole bool, err error) {
	source := r.url + "/" + escaped(name)
	err = r.client.Try(r.ctx, "download "+event.Mask(source), func() error {
		body, err := r.client.Open(r.ctx, source)
		if err != nil {
			return err
		}
		defer body.Close()
		raw, err = io.ReadAll(io.LimitReader(body, limit+1))
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", event.Mask(source), err)
	}
	return raw, int64(len(raw)) <= limit, nil
}

// escaped is a path as a URL has it.
func escaped(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// Refs are those that the summary lists, with their commits. A repository without a summary is
// an error.
func (r *Remote) Refs() (map[string]string, error) {
	raw, err := r.get("summary", largestMetadata)
	if err != nil {
		return nil, err
	}
	refs, err := format.ParseOSTreeSummary(raw)
	if err != nil {
		return nil, fmt.Errorf("%s/summary: %w", event.Mask(r.url), err)
	}
	return refs, nil
}

// Head returns the commit that a ref points to, "" if the ref does not exist.
func (r *Remote) Head(ref string) (string, error) {
	if !isRef(ref) {
		return "", nil
	}
	raw, err := r.get("refs/heads/"+ref, largestConfig)
	if download.NotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	sum := strings.TrimSpace(string(raw))
	if !isSum(sum) {
		return "", fmt.Errorf("%s: ref %s is damaged: it has the content %.80q", event.Mask(r.url), ref, sum)
	}
	return sum, nil
}

func (r *Remote) metadata(sum, kind string) ([]byte, error) {
	if r.near != nil {
		if raw, err := r.near.read(sum, kind); err == nil {
			return raw, nil
		}
	}
	raw, err := r.get(object(sum, kind), largestMetadata)
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s is damaged: the object of %s %s has the checksum %x", event.Mask(r.url), kind, sum, got)
	}
	return raw, nil
}

func (r *Remote) parallel() int { return 8 }

// header is not checked if the file is large: the checksum is over all of it.
func (r *Remote) header(sum string) (*format.OSTreeFile, error) {
	if r.near != nil {
		if h, err := r.near.header(sum); err == nil {
			return h, nil
		}
	}
	b, err := r.beginningOf(sum)
	if err != nil {
		return nil, err
	}
	if b.whole {
		if err := format.CheckOSTreeObject(bytes.NewReader(b.raw), sum, "filez"); err != nil {
			return nil, fmt.Errorf("%s is damaged: file %s: %w", event.Mask(r.url), sum, err)
		}
	}
	h, err := format.ReadOSTreeHeader(bytes.NewReader(b.raw))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: file %s: %w", event.Mask(r.url), sum, err)
	}
	return h, nil
}

func (r *Remote) beginningOf(sum string) (beginning, error) {
	r.mu.Lock()
	b, ok := r.began[sum]
	r.mu.Unlock()
	if ok {
		return b, nil
	}
	raw, whole, err := r.begin(object(sum, "filez"), beginningSize)
	if err != nil {
		return b, err
	}
	b = beginning{raw, whole}
	r.mu.Lock()
	r.began[sum] = b
	r.mu.Unlock()
	return b, nil
}

func (r *Remote) content(sum string, limit int64) ([]byte, error) {
	if r.near != nil {
		if content, err := r.near.content(sum, limit); err == nil {
			return content, nil
		}
	}
	b, err := r.beginningOf(sum)
	if err != nil {
		return nil, err
	}
	if !b.whole {
		if b.raw, err = r.get(object(sum, "filez"), largestObject); err != nil {
			return nil, err
		}
	}
	content, err := format.ReadOSTreeFile(bytes.NewReader(b.raw), sum, limit)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: file %s: %w", event.Mask(r.url), sum, err)
	}
	return content, nil
}
