package reapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]address{
		"grpc://cache:8980":                       {host: "cache", port: "8980"},
		"grpc://cache.example.org:8980/":          {host: "cache.example.org", port: "8980"},
		"grpcs://cache.example.org":               {tls: true, host: "cache.example.org", port: "443"},
		"grpcs://cache.example.org/main":          {tls: true, host: "cache.example.org", port: "443", instance: "main"},
		"grpcs://cache.example.org:1985/a/b-c":    {tls: true, host: "cache.example.org", port: "1985", instance: "a/b-c"},
		"grpc://[::1]:8980/x":                     {host: "::1", port: "8980", instance: "x"},
		"grpcs://10.0.0.1":                        {tls: true, host: "10.0.0.1", port: "443"},
		"GRPC://cache:8980/Projects/p1/instances": {host: "cache", port: "8980", instance: "Projects/p1/instances"},
	} {
		if got, err := caching.parse(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                    "begins with grpc://",
		"cache:8980":                          "begins with grpc://",
		"https://cache.example.org":           "begins with grpc://",
		"grpc:cache":                          "does not name a host",
		"grpc://":                             "does not name a host",
		"grpc://:8980":                        "does not name a host",
		"grpc:///x":                           "does not name a host",
		"grpc://cache":                        "the port is missing; want grpc://cache:PORT",
		"grpc://cache:0":                      `"0" is not a port`,
		"grpc://cache:65536":                  `"65536" is not a port`,
		"grpc://cache:http":                   "not a URL",
		"grpc://ca che:1":                     "not a URL",
		"grpc://ca,che:1":                     "not the name of a host",
		"grpc://-x:1":                         "not the name of a host",
		"grpc://cache:8980?x=y":               "cannot have a query",
		"grpc://cache:8980?":                  "cannot have a query",
		"grpc://cache:8980/#":                 "or a fragment",
		"grpc://cache:8980/a/blobs/b":         "not the name of an instance",
		"grpc://cache:8980/a//b":              "not the name of an instance",
		"grpc://cache:8980/a%20b":             "not the name of an instance",
		"grpcs://name:hunter2hunter2@cache":   "client certificate or a credential helper",
		"grpcs://hunter2hunter2@cache":        "client certificate or a credential helper",
		"grpcs://n:hunter2/hunter2@cache":     "client certificate or a credential helper",
		"grpcs://n:hunter2hunter2@cache:port": "client certificate or a credential helper",
		"hunter2hunter2@cache":                "begins with grpc://",
	} {
		_, err := caching.parse(text)
		var request *diag.Request
		if !errors.As(err, &request) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %q", text, err)
		}
	}
}

// TestAccess: an access that is impossible, or less protected than the user wants, is an error.
func TestAccess(t *testing.T) {
	for want, access := range map[string]remote.Access{
		"want grpcs://":                    {URL: "grpc://cache:1", Authority: "/x"},
		"certificates are for TLS":         {URL: "grpc://cache:1", Certificate: "/x", Key: "/y"},
		"credentials are sent by TLS only": {URL: "grpc://cache:1", Helper: "/x"},
		"does not have a certificate":      {URL: "grpcs://cache", Key: "/x"},
	} {
		_, err := Open(access)
		var request *diag.Request
		if !errors.As(err, &request) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", access, err, want)
		}
	}
	if _, err := OpenExecution(remote.Access{URL: "grpc://cache"}); err == nil || !strings.HasPrefix(err.Error(), "the remote execution grpc://cache: the port is missing") {
		t.Error(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "127.2.3.4", "[::1]"} {
		c, err := Open(remote.Access{URL: "grpc://" + host + ":1", Helper: "/x"})
		if err != nil {
			t.Errorf("a helper on loopback: %v", err)
			continue
		}
		c.Close()
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"grpc://cache:8980/a/b", "grpcs://[::1]", "grpc://n:p@h:1", "grpc://%41:1/%2f", "://@"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := caching.parse(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x00\x1b\n") {
				t.Errorf("%q: control characters in %q", text, err)
			}
			return
		}
		again, err := caching.parse(a.String() + "/" + a.instance)
		if err != nil || again != a {
			t.Errorf("%q is %+v, which is %+v when it is read again: %v", text, a, again, err)
		}
	})
}
