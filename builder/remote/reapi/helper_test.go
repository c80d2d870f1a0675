package reapi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/remote"
)

const token = "hunter2-hunter2"

// program writes a helper, which keeps its calls and its input in files beside it.
func program(t *testing.T, script string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "helper")
	script = fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%[1]s.calls\ncat >%[1]s.input\n%s\n", path, script)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func withHelper(t *testing.T, s *server, helper string, l limits) *client {
	t.Helper()
	c, err := open(remote.Access{URL: "grpc://" + s.start(t), Helper: helper}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestHelper: each call has the headers that the helper returned. The helper is asked once while they are good.
func TestHelper(t *testing.T) {
	for _, test := range []struct {
		left  time.Duration // 0: for ever
		asked int
	}{{0, 1}, {time.Hour, 1}, {early - time.Second, 7}} {
		expires := ""
		if test.left > 0 {
			expires = `, "expires": "` + time.Now().Add(test.left).Format(time.RFC3339Nano) + `"`
		}
		s := newServer()
		s.header, s.value = "authorization", "Bearer "+token
		helper := program(t, `echo '{"headers": {"Authorization": ["Bearer `+token+`"], "none": []}`+expires+`, "more": 1}'`)
		c := withHelper(t, s, helper, patient)
		put(t, c, keyOf(1), content(200_000)) // abilities, missing, stream, small, result
		if _, err := get(c, keyOf(1)); err != nil {
			t.Error(err) // result, stream
		}
		calls, err := os.ReadFile(helper + ".calls")
		if err != nil || string(calls) != strings.Repeat("get\n", test.asked) {
			t.Errorf("%s: the helper was called with %q, want get %d times; %v", expires, calls, test.asked, err)
		}
		input, err := os.ReadFile(helper + ".input")
		if want := `{"uri":"https://` + strings.TrimPrefix(c.at.String(), "grpc://") + `"}`; err != nil || string(input) != want {
			t.Errorf("the helper reads %q, want %q; %v", input, want, err)
		}
	}
}

// TestHelperFails: the standard error of a helper that fails is shown, and its answer is not.
func TestHelperFails(t *testing.T) {
	answer := `echo '{"headers": {"Authorization": ["Bearer ` + token + `"]}}'` + "\n"
	for want, script := range map[string]string{
		"exit status 3; it writes: log in first, not with ***": answer + "echo log in first, not with " + token + " >&2\nexit 3",
		"not JSON of the form":                                 "echo " + token,
		"have expired at 2020-01-0":                            `echo '{"headers": {"a": ["` + token + `"]}, "expires": "2020-01-02T03:04:05Z"}'; echo ` + token + ` >&2`,
		"not a time of RFC 3339":                               `echo '{"headers": {"a": ["` + token + `"]}, "expires": "` + token + `"}'`,
		`the name "grpc-timeout"`:                              `echo '{"headers": {"Grpc-Timeout": ["` + token + `"]}}'`,
		"that a header cannot have":                            `echo '{"headers": {"a": ["` + token + `\u0001"]}}'`,
		"more than 1048576 bytes":                              "head -c 1100000 /dev/zero",
	} {
		s := newServer()
		c := withHelper(t, s, program(t, script), patient)
		_, err := get(c, keyOf(1))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want %q", err, want)
		}
		if len(s.calls) > 0 {
			t.Errorf("without credentials the server got the calls %v", s.calls)
		}
	}
	c := withHelper(t, newServer(), "/does/not/exist", patient)
	if _, err := get(c, keyOf(1)); err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Error(err)
	}
}

// TestHelperHangs: a helper is ended after its own limit, and when its caller ends.
func TestHelperHangs(t *testing.T) {
	l := patient
	l.call = 300 * time.Millisecond
	c := withHelper(t, newServer(), program(t, "exec sleep 60"), l)
	start := time.Now()
	_, err := get(c, keyOf(1))
	if err == nil || !strings.Contains(err.Error(), "has not answered within 300ms") {
		t.Error(err)
	}
	h := newHelper(program(t, "exec sleep 60"), address{host: "h", port: "443"}, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := h.get(ctx); !errors.Is(err, context.DeadlineExceeded) || h.uri != "https://h" {
		t.Errorf("%v, uri %s", err, h.uri)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestServerEchoes: if a server's message contains the credentials, our message does not.
func TestServerEchoes(t *testing.T) {
	s := newServer()
	s.header, s.value = "authorization", "another"
	c := withHelper(t, s, program(t, `echo '{"headers": {"Authorization": ["Bearer `+token+`"]}}'`), patient)
	if _, err := get(c, keyOf(1)); err == nil || !strings.Contains(err.Error(), "***") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, text := range []string{`{}`, `{"headers": {"a": ["b", "c"], "B": []}, "expires": "2100-01-02T03:04:05Z"}`, `{"headers": {"a-bin": ["b"]}}`, `{"headers": null}`, `[1]`} {
		f.Add([]byte(text))
	}
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseAnswer(text, now)
		if err != nil {
			return
		}
		if len(got.headers)%2 != 0 || len(got.headers) != 2*len(got.values) {
			t.Errorf("%q: headers %q", text, got.headers)
		}
		for _, word := range got.headers {
			if strings.ContainsAny(word, "\r\n\x00") {
				t.Errorf("%q: header %q", text, word)
			}
		}
	})
}
