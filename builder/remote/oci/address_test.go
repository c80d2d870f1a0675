package oci

import (
	"errors"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

// TestAddresses: an impossible address is an error of the request. The error has the right form, and never a password.
func TestAddresses(t *testing.T) {
	long := strings.Repeat("a", 256)
	for url, want := range map[string]string{
		"":                               "begins with oci://",
		"https://ghcr.io/owner/cache":    "begins with oci://",
		"oci://":                         `"" is not the name or address of a registry`,
		"oci:///owner/cache":             `"" is not the name or address of a registry`,
		"oci://ghcr.io":                  "oci://ghcr.io does not have a repository: write oci://ghcr.io/OWNER/NAME",
		"oci://ghcr.io/":                 "oci://ghcr.io does not have a repository",
		"oci://ghcr.io/Owner/Cache":      "do not allow capital letters in the names of repositories: write oci://ghcr.io/owner/cache",
		"oci://ghcr.io/owner/cache:v1":   "oci://ghcr.io/owner/cache:v1 has a tag",
		"oci://ghcr.io/o/c@sha256:00":    "has a digest",
		"oci://ghcr.io/owner/cache/":     "ends with a slash: write oci://ghcr.io/owner/cache",
		"oci://ghcr.io//cache":           `"/cache" is not the name of a repository`,
		"oci://ghcr.io/../cache":         `"../cache" is not the name of a repository`,
		"oci://ghcr.io/a b":              `"a b" is not the name of a repository`,
		"oci://ghcr.io/a%2e":             `"a%2e" is not the name of a repository`,
		"oci://ghcr.io/" + long:          "is longer than the 255 characters",
		"oci://ghcr.io:0/x":              `"0" is not a port`,
		"oci://ghcr.io:99999/x":          `"99999" is not a port`,
		"oci://ghcr.io:/x":               `"" is not a port`,
		"oci://gh cr.io/x":               `"gh cr.io" is not the name or address of a registry`,
		"oci://-ghcr.io/x":               `"-ghcr.io" is not the name`,
		"oci://[::1/x":                   "is not the name",
		"oci://[127.0.0.1]/x":            `"[127.0.0.1]" is not the name`,
		"oci://::1/x":                    "is not the name or address of a registry",
		"oci://ghcr.io/x?token=hunter2":  "oci://ghcr.io/x is followed by a query or a fragment",
		"oci://ghcr.io/x#hunter2":        "oci://ghcr.io/x is followed by a query or a fragment",
		"oci://me:hunter2@ghcr.io/x":     "has a user or a password in it",
		"oci://me:hunter2@ghcr.io/x?a=b": "has a user or a password in it",
	} {
		_, err := Open(remote.Access{URL: url}, t.TempDir())
		var request *diag.Request
		if !errors.As(err, &request) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error has the password: %v", url, err)
		}
	}
}

// TestPlain: only a registry on this machine is asked without TLS, unless the access has files for TLS.
func TestPlain(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "LOCALHOST": true, "127.0.0.1": true, "127.3.2.1:80": true, "[::1]:5000": true, "[::1]": true,
		"ghcr.io": false, "localhost.example.org": false, "127.0.0.1.example.org:5000": false, "10.0.0.1": false, "[::2]": false, "registry:5000": false,
	} {
		c, err := open(remote.Access{URL: "oci://" + host + "/x"}, t.TempDir(), usual)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if c.plain != want || c.repo.PlainHTTP != want {
			t.Errorf("%s: plain is %v", host, c.plain)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, url := range []string{"oci://ghcr.io/owner/cache", "oci://[::1]:5000/a/b_c", "oci://user:pw@host/x", "oci://h/x:tag@sha256:00?q#f", "oci://docker.io/x"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		at, err := parse(url)
		if err != nil {
			return
		}
		if err := at.Validate(); err != nil || at.Reference != "" || "oci://"+at.String() != url {
			t.Errorf("%q is %+v, error %v", url, at, err)
		}
		if strings.ContainsAny(url, "@?# ") || strings.ToLower(at.Repository) != at.Repository {
			t.Errorf("%q is taken", url)
		}
	})
}

func FuzzManifest(f *testing.F) {
	p := packed{key: keyOf("one"), size: 3, sum: descriptor("", []byte("abc")).Digest, layer: descriptor("application/vnd.oci.image.layer.v1.tar+zstd", []byte("abcd"))}
	good, _, err := p.describe()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schemaVersion":2,"layers":[{"digest":"sha256:x"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readManifest(raw, keyOf("one"))
		if err != nil {
			if !errors.Is(err, remote.ErrWrong) {
				t.Errorf("error %v", err)
			}
			return
		}
		// An address that was read can be written and read again, and is then the same.
		again, _, err := got.describe()
		if err != nil {
			t.Fatal(err)
		}
		if same, err := readManifest(again, keyOf("one")); err != nil || same.key != got.key || same.size != got.size || same.sum != got.sum || same.layer.Digest != got.layer.Digest || same.layer.Size != got.layer.Size {
			t.Errorf("%+v became %+v, error %v", got, same, err)
		}
	})
}
