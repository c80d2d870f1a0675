package reapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/secret"
)

const (
	// mostAnswer is the largest number of bytes of a helper's answer that are read.
	mostAnswer = 1 << 20
	// mostComplaint is the largest number of bytes of a helper's standard error that are shown.
	mostComplaint = 2 << 10
	// keptFor is the time for which credentials without an end are used, as in Bazel.
	keptFor = 30 * time.Minute
	// early is the time before their end at which credentials are asked for again.
	early = 10 * time.Second
)

// helper asks a program for the credentials of one server, and keeps them until they end.
type helper struct {
	program, uri string
	timeout      time.Duration
	// turn is held by the goroutine that reads or changes the fields below.
	turn    chan struct{}
	headers []string // names and values in turn
	until   time.Time
	// words finds the credentials in messages of the server and the helper.
	words atomic.Pointer[secret.Words]
}

func newHelper(program string, a address, timeout time.Duration) *helper {
	// Helpers for Bazel expect https for gRPC as well, without the usual port of https.
	uri := "https://" + net.JoinHostPort(a.host, a.port)
	if a.port == "443" {
		uri = strings.TrimSuffix(uri, ":443")
	}
	return &helper{program: program, uri: uri, timeout: timeout, turn: make(chan struct{}, 1)}
}

// get returns the headers that go with a request.
func (h *helper) get(ctx context.Context) ([]string, error) {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-h.turn }()
	if time.Now().Before(h.until) {
		return h.headers, nil
	}
	got, err := h.ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("the credential helper %s: %w", h.program, err)
	}
	h.headers, h.until = got.headers, got.until
	h.words.Store(got.words())
	return h.headers, nil
}

func (h *helper) ask(ctx context.Context) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	question, err := json.Marshal(map[string]string{"uri": h.uri})
	if err != nil {
		return answer{}, err
	}
	out, complaint := head{most: mostAnswer}, head{most: mostComplaint}
	run := sandbox.Command{Argv: []string{h.program, "get"}, Env: sandbox.HostEnv(), Stdin: bytes.NewReader(question), Stdout: &out, Stderr: &complaint}
	err = run.Run(limited)
	got, fault := parseAnswer(out.kept, time.Now())
	switch {
	case ctx.Err() != nil:
		return answer{}, context.Cause(ctx)
	case limited.Err() != nil:
		err = fmt.Errorf("it has not answered within %s", h.timeout)
	case err == nil && out.dropped:
		err = fmt.Errorf("its answer has more than %d bytes", mostAnswer)
	case err == nil:
		err = fault
	}
	if text := strings.TrimSpace(string(complaint.kept)); err != nil && text != "" {
		err = fmt.Errorf("%w; it writes: %s", err, diag.Visible(got.words().Mask(text)))
	}
	return got, err
}

// answer is the answer of a helper.
type answer struct {
	headers []string // names and values in turn
	until   time.Time
	// values are the values of all headers, also in an answer that cannot be used.
	values []string
}

// words finds the values of the headers, with and without the word before them ("Bearer").
func (a answer) words() *secret.Words {
	found := map[string][]byte{}
	for _, value := range a.values {
		found[value] = []byte(value)
		if _, token, ok := strings.Cut(value, " "); ok {
			found[token] = []byte(token)
		}
	}
	return secret.Find(found)
}

var (
	headerName  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9a-z-]+$")
	headerValue = regexp.MustCompile(`^[ -~]*$`)
)

// parseAnswer reads the output of a helper. An error shows only names of headers from it.
func parseAnswer(text []byte, now time.Time) (answer, error) {
	var read struct {
		Headers map[string][]string `json:"headers"`
		Expires string              `json:"expires"`
	}
	if json.Unmarshal(text, &read) != nil {
		return answer{}, errors.New(`its answer is not JSON of the form {"headers": {"NAME": ["VALUE"]}, "expires": "TIME"}`)
	}
	got := answer{until: now.Add(keptFor)}
	for _, values := range read.Headers {
		got.values = append(got.values, values...)
	}
	for name, values := range read.Headers {
		name = strings.ToLower(name)
		// Names with "grpc-" are reserved for gRPC. Values of names with "-bin" would be encoded once more.
		if !headerName.MatchString(name) || strings.HasPrefix(name, "grpc-") || strings.HasSuffix(name, "-bin") {
			return got, fmt.Errorf("a header of gRPC cannot have the name %q", name)
		}
		for _, value := range values {
			if !headerValue.MatchString(value) {
				return got, fmt.Errorf("the value of the header %q has characters that a header cannot have", name)
			}
			got.headers = append(got.headers, name, value)
		}
	}
	if read.Expires != "" {
		end, err := time.Parse(time.RFC3339, read.Expires)
		if err != nil {
			return got, errors.New("the time at which its credentials expire is not a time of RFC 3339")
		}
		if !end.After(now) {
			return got, fmt.Errorf("its credentials have expired at %s", end.UTC().Format(time.RFC3339))
		}
		got.until = end.Add(-early)
	}
	return got, nil
}

// head keeps the first bytes that are written to it.
type head struct {
	kept    []byte
	most    int
	dropped bool
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.most-len(h.kept))
	h.kept = append(h.kept, p[:n]...)
	h.dropped = h.dropped || n < len(p)
	return len(p), nil
}
