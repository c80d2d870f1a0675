package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/remote"
)

const (
	noAnswer = "no answer within"
	noData   = "the registry stopped in the middle: almost no data came for"
	notTaken = "the registry stopped in the middle: it took almost nothing for"
	notKept  = "the registry got all, and did not confirm it within"
)

// mostRefusal is the largest part of a refusal that is read.
const mostRefusal = 8 << 10

const manifests = "manifests/"

// Paths in a repository.
func manifestAt(tag string) string       { return manifests + tag }
func blobAt(digest digest.Digest) string { return "blobs/" + digest.String() }

// answer is the content that the registry has at a path. It is read by its Reader, and has to be closed.
type answer struct {
	io.Reader
	// length is the length that the registry promises, or -1 without one.
	length int64
	// digest is the digest of the registry's header, or "" without one.
	digest string
	body   io.Closer
	watch  *download.Watch
}

// Close ends the transfer, also if it has not finished.
func (a *answer) Close() error {
	defer a.watch.End()
	return a.body.Close()
}

// has reports whether a path is in the repository.
func (c *cache) has(ctx context.Context, what string) (bool, error) {
	a, err := c.ask(ctx, http.MethodHead, what)
	if errors.Is(err, remote.ErrMissing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, a.Close()
}

// ask sends a request for a path in the repository. If the registry does not have it, the error is [remote.ErrMissing].
func (c *cache) ask(ctx context.Context, method, what string) (*answer, error) {
	before := ctx
	watch, ctx := download.NewWatch(auth.AppendRepositoryScope(ctx, c.at, auth.ActionPull))
	proto := "https"
	if c.plain {
		proto = "http"
	}
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s://%s/v2/%s/%s", proto, c.at.Host(), c.at.Repository, what), nil)
	if err != nil {
		watch.End()
		return nil, err
	}
	if strings.HasPrefix(what, manifests) {
		req.Header.Set("Accept", ocispec.MediaTypeImageManifest)
	}
	watch.Within(c.limits.answer, noAnswer)
	resp, err := c.client.Do(req)
	if err != nil {
		err = c.why(before, watch, err, auth.ActionPull)
		watch.End()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer watch.End()
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusNotFound {
			return nil, remote.ErrMissing
		}
		return nil, c.why(before, watch, refusal(resp), auth.ActionPull)
	}
	watch.Within(c.limits.stall, noData)
	return &answer{
		Reader: watch.Reader(resp.Body, c.limits.stall, noData), length: resp.ContentLength, digest: resp.Header.Get("Docker-Content-Digest"),
		body: resp.Body, watch: watch,
	}, nil
}

// refusal reads an answer that refuses the request.
func refusal(resp *http.Response) *errcode.ErrorResponse {
	e := &errcode.ErrorResponse{Method: resp.Request.Method, URL: resp.Request.URL, StatusCode: resp.StatusCode}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	// Many refusals are not JSON. Their status is enough.
	if json.NewDecoder(io.LimitReader(resp.Body, mostRefusal)).Decode(&body) == nil {
		e.Errors = body.Errors
	}
	return e
}

// why returns the reason for a failed request for an action. It does not have URLs, as those of blobs can have a signature in them.
func (c *cache) why(ctx context.Context, watch *download.Watch, err error, action string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var refused *errcode.ErrorResponse
	switch {
	case errors.As(err, &refused):
		return c.refused(refused, action)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return fmt.Errorf("the registry %s wants a log-in: %s", c.at.Registry, c.logIn())
	}
	return fmt.Errorf("the registry %s: %w", c.at.Registry, watch.Why(err))
}

// refused returns an error that describes a refusal and names the remedy.
func (c *cache) refused(e *errcode.ErrorResponse, action string) error {
	who := "the registry " + c.at.Registry
	if e.URL != nil && e.URL.Host != c.at.Host() {
		who = fmt.Sprintf("%s, for the registry %s,", e.URL.Host, c.at.Registry)
	}
	text := fmt.Sprintf("%s answers %d %s", who, e.StatusCode, http.StatusText(e.StatusCode))
	if len(e.Errors) > 0 {
		text += fmt.Sprintf(" (%s)", printable(e.Errors[0].Code+": "+e.Errors[0].Message))
	}
	does := "read from"
	if action == auth.ActionPush {
		does = "write to"
	}
	switch e.StatusCode {
	case http.StatusUnauthorized:
		text += ": " + c.logIn()
	case http.StatusForbidden:
		text += fmt.Sprintf(": the log-in may not %s %s; %s", does, c.at.Repository, c.logIn())
	case http.StatusNotFound:
		text += fmt.Sprintf(": perhaps the repository %s does not exist, or the log-in may not %s it", c.at.Repository, does)
	case http.StatusRequestEntityTooLarge:
		text += ": the registry, or a proxy before it, limits the size of uploads"
	case http.StatusTooManyRequests:
		text += ": it limits how many requests are made; those with a log-in can often make more"
	case http.StatusInsufficientStorage:
		text += ": it is full: remove old tags there"
	}
	return errors.New(text)
}

func (c *cache) logIn() string {
	return fmt.Sprintf("log in with docker login %s, as the user that builds (with sudo, that is root)", c.at.Registry)
}

// printable returns text of a server as one short line, without characters that control a terminal.
func printable(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	return text
}
