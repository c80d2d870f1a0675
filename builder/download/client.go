package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Timing describes how long to wait for what.
type Timing struct {
	// Answer is for everything up to the header of an answer: names, connections,
	// TLS, proxies, redirections.
	Answer time.Duration
	// Stall is for a body to bring stallBytes more, or its end.
	Stall time.Duration
	// Pauses are those after each try that failed; none: there is one try.
	Pauses []time.Duration
}

// Patient is for work that should outlive a server's restart: seven tries, with
// 63 s between the first and the last.
var Patient = Timing{Answer: 30 * time.Second, Stall: 30 * time.Second, Pauses: []time.Duration{
	1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second,
}}

// Once is for questions that may go unanswered.
var Once = Timing{Answer: 10 * time.Second, Stall: 10 * time.Second}

const (
	redirections = 10
	idlePerHost  = 8
)

// Client fetches files.
type Client struct {
	timing Timing
	http   *http.Client
	reach  *reach
	// Say gets what people who wait should know.
	Say func(line string)
}

// New returns a client that goes through the proxies that proxy names (nil:
// none). Each try that is followed by another is told to say.
func New(t Timing, proxy func(*http.Request) (*url.URL, error), say func(line string)) *Client {
	r := &reach{transport: Transport(t.Answer, proxy)}
	return &Client{timing: t, http: &http.Client{Transport: r, CheckRedirect: CheckRedirect}, reach: r, Say: say}
}

// Transport returns the transport of a [Client]. It makes connections within a limit, through the proxies
// that proxy names (nil: none), and it does not change the bytes of the server.
func Transport(connect time.Duration, proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	dialer := &net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: proxy, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: 90 * time.Second,
		// Bytes as they are: a server that calls a .tar.gz compressed would have it
		// unpacked, and a small answer could become an endless one.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 1 << 20,
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			return &proxyError{proxy.Redacted(), answer.Status, answer.StatusCode}
		},
	}
}

// Credentials gives each request, also one that another was redirected to, the
// name and password that of returns for its URL; nil for none. A URL that has its
// own keeps them.
func (c *Client) Credentials(of func(*url.URL) *url.Userinfo) { c.reach.use(of) }

// Trust takes for a host, in place of the machine's own authorities, those of a
// file with certificates (PEM). It returns false if the file has none.
func (c *Client) Trust(host string, pem []byte) bool { return c.reach.trust(host, pem) }

// CheckRedirect is the policy of an [http.Client] for redirections. It follows them to any server, but not from
// https to http, because then any machine on the way could have answered.
func CheckRedirect(next *http.Request, before []*http.Request) error {
	if len(before) > redirections {
		return Permanent(fmt.Errorf("%d redirections, the last to %s", len(before), next.URL.Redacted()))
	}
	if s := next.URL.Scheme; s != "http" && s != "https" {
		return Permanent(fmt.Errorf("redirected to %s, which is neither http nor https", next.URL.Redacted()))
	}
	for _, r := range before {
		if r.URL.Scheme == "https" && next.URL.Scheme != "https" {
			return Permanent(fmt.Errorf("redirected from https to %s, which does not protect against forgery", next.URL.Redacted()))
		}
	}
	// The path of a URL can be a secret as well.
	next.Header.Del("Referer")
	last := before[len(before)-1].URL
	if next.URL.User == nil && next.URL.Scheme == last.Scheme && next.URL.Host == last.Host {
		next.URL.User = last.User
	}
	return nil
}

// Body is the content of an answer; a stall is an error of its Read.
type Body struct {
	// Length is what the server says, -1 if it does not.
	Length int64

	io.Reader
	body  io.Closer
	watch *Watch
}

// Errors of a server that is too slow. The limit is appended.
const (
	noAnswer = "no answer within"
	noData   = "the server stopped in the middle: almost no data came for"
	noLine   = "the server stopped in the middle: it sent no line for"
)

// Open asks for source once. Any answer but 200 is a *StatusError. Errors do not
// name source: the caller does.
func (c *Client) Open(ctx context.Context, source string) (*Body, error) {
	watch, ctx := NewWatch(ctx)
	fail := func(err error) (*Body, error) {
		watch.End()
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return fail(Permanent(err))
	}
	if s := req.URL.Scheme; s != "http" && s != "https" {
		return fail(Permanent(errors.New("neither http nor https")))
	}
	watch.Within(c.timing.Answer, noAnswer)
	resp, err := c.http.Do(req)
	if err != nil {
		return fail(watch.Why(err))
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return fail(statusError(req, resp))
	}
	watch.Within(c.timing.Stall, noData)
	return &Body{Length: resp.ContentLength, Reader: watch.Reader(resp.Body, c.timing.Stall, noData), body: resp.Body, watch: watch}, nil
}

// statusError describes an answer to req that is not 200.
func statusError(req *http.Request, resp *http.Response) *StatusError {
	status := &StatusError{Status: resp.Status, Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now())}
	if resp.Request != req {
		status.Redirected = resp.Request.URL.Redacted()
	}
	return status
}

// Close ends the download, finished or not.
func (b *Body) Close() error {
	defer b.watch.End()
	return b.body.Close()
}

const (
	// doubtfulTries is how often something doubtful is tried at the most.
	doubtfulTries = 3
	// longestPause is how long a server may ask us to wait (Retry-After).
	longestPause = time.Minute
)

// Try does work that downloads what, until it succeeds, or fails for good, or
// has been tried as often as the client's timing says. work is to begin again
// each time.
func (c *Client) Try(ctx context.Context, what string, work func() error) error {
	doubts := 0
	for try := 0; ; try++ {
		err := work()
		var doubt doubtful
		if errors.As(err, &doubt) {
			doubts++
		}
		if err == nil || ctx.Err() != nil || Lasting(err) || doubts == doubtfulTries {
			return err
		}
		if try == len(c.timing.Pauses) {
			if try > 0 {
				err = fmt.Errorf("%w (tried %d times)", err, try+1)
			}
			return err
		}
		pause := c.timing.Pauses[try]
		var status *StatusError
		if errors.As(err, &status) && status.RetryAfter > pause {
			if pause = status.RetryAfter; pause > longestPause {
				return fmt.Errorf("%w, and the server asks for a pause of %s: try later", err, pause)
			}
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		c.Say(fmt.Sprintf("%s: try %d of %d failed: %s; again in %s", what, try+1, len(c.timing.Pauses)+1, first, pause))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
