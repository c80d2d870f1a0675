package event

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"http://user:secret@host/x":                               "http://user:***@host/x",
		"http://:secret@host":                                     "http://:***@host",
		"http://user:@host":                                       "http://user:***@host",
		"http://user:se@cret@host:8080/a@b":                       "http://user:***@host:8080/a@b",
		"http://user:se/cret@host/x":                              "http://user:***@host/x",
		"http://user:12345@host/x":                                "http://user:***@host/x",
		"http://user:se:cret@host/x":                              "http://user:***@host/x",
		"http://us%40er:s%2Fecret@[::1]:80/x":                     "http://us%40er:***@[::1]:80/x",
		`E: Failed to fetch http://a:b@h/x  401; "https://c:d@h"`: `E: Failed to fetch http://a:***@h/x  401; "https://c:***@h"`,
		"a=http://a:b@h,b=http://c:d@h":                           "a=http://a:***@h,b=http://c:***@h",
		`{"mirror":"http://a:b@h","x":"@"}`:                       `{"mirror":"http://a:***@h","x":"@"}`,
		"socks5h://a:b@proxy:1080":                                "socks5h://a:***@proxy:1080",
		// What is not a password stays.
		"http://host:8080/a@b":                "http://host:8080/a@b",
		"http://[fe80::1]:80/a@b":             "http://[fe80::1]:80/a@b",
		"ssh://git@host/x":                    "ssh://git@host/x",
		"https://host/~user:x/@":              "https://host/~user:x/@",
		"// a comment: mail a@b":              "// a comment: mail a@b",
		"getty@tty1.service http://h:1 b@c:d": "getty@tty1.service http://h:1 b@c:d",
		"":                                    "",
	} {
		if got := Mask(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestMaskOfErrors: net/url reports the whole of a URL that it cannot read.
func TestMaskOfErrors(t *testing.T) {
	for _, bad := range []string{"http://user:se/cret@host/", "http://user:secret@ho st/", "http://user:secret@host/%zz", "http://user:secret\x7f@host/"} {
		_, err := url.Parse(bad)
		var report *url.Error
		if !errors.As(err, &report) {
			t.Errorf("%q: %v", bad, err)
			continue
		}
		if got := Mask(err.Error()); strings.Contains(got, "secret") || strings.Contains(got, "cret") {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

// TestSinksAreToldNoPasswords: each way of showing events.
func TestSinksAreToldNoPasswords(t *testing.T) {
	const text = "fetch http://user:secret@host/x"
	for _, mode := range []string{"plain", "json"} {
		name := filepath.Join(t.TempDir(), "out")
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sink, err := Choose(mode, f, Options{Verbose: true})
		if err != nil {
			t.Fatal(err)
		}
		sink.Emit(Event{Kind: BuildStarted, Flavour: "f", Total: 1})
		sink.Emit(Event{Kind: PhaseStarted, Title: text})
		sink.Emit(Event{Kind: Note, Line: text})
		sink.Emit(Event{Kind: StepStarted, Step: "s", Title: text})
		sink.Emit(Event{Kind: StepOutput, Step: "s", Line: text})
		sink.Emit(Event{Kind: StepFailed, Step: "s", Error: text, Log: "/x"})
		sink.Emit(Event{Kind: BuildFailed, Flavour: "f", Error: text})
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(out, []byte("secret")) || bytes.Count(out, []byte("user:***@host")) < 4 {
			t.Errorf("%s:\n%s", mode, out)
		}
	}
}
