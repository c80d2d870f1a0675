package oci

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/treetest"
	"github.com/treewright/treewright/builder/verity"
)

const user, password = "builder", "hunter2"

// auths returns docker's configuration with a user and a password for a registry.
func auths(host, password string) string {
	return fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

func hostOf(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "oci://"), "/")
	return host
}

// basic asks for a user and a password.
func basic(w http.ResponseWriter, r *http.Request) bool {
	if u, p, _ := r.BasicAuth(); u == user && p == password {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

// TestBasic: user and password come from docker's configuration, from its programs, or from podman's file.
func TestBasic(t *testing.T) {
	f, url := serve(t)
	f.is(basic)
	host := hostOf(url)
	programs := t.TempDir()
	t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
	program := "#!/bin/sh\nread -r host\n[ \"$1 $host\" = 'get " + host + "' ] && echo '{\"Username\": \"" + user + "\", \"Secret\": \"" + password + "\"}'\n"
	treetest.Write(t, filepath.Join(programs, "docker-credential-test"), program)
	if err := os.Chmod(filepath.Join(programs, "docker-credential-test"), 0o755); err != nil {
		t.Fatal(err)
	}
	podman := filepath.Join(t.TempDir(), "auth.json")
	treetest.Write(t, podman, auths(host, password))
	for name, how := range map[string]struct{ config, file string }{
		"auths":             {auths(host, password), ""},
		"credHelpers":       {fmt.Sprintf(`{"credHelpers": {%q: "test"}}`, host), ""},
		"credsStore":        {`{"credsStore": "test"}`, ""},
		"podman":            {"{}", podman},
		"podman's is first": {auths(host, "other"), podman},
	} {
		t.Run(name, func(t *testing.T) {
			docker(t, how.config)
			t.Setenv("REGISTRY_AUTH_FILE", how.file)
			c := reopened(t, remote.Access{URL: url}, relaxed)
			put(t, c, name)
			wants(t, c, name)
		})
	}
}

// TestNoLogIn: without a log-in, or with a wrong one, the error has the command that helps, and does not have the password.
func TestNoLogIn(t *testing.T) {
	f, url := serve(t)
	f.is(basic)
	for name, config := range map[string]string{"none": "{}", "a wrong one": auths(hostOf(url), "wrong-secret")} {
		docker(t, config)
		c := reopened(t, remote.Access{URL: url}, relaxed)
		_, err := c.Has(t.Context(), []string{keyOf("one")})
		if err == nil || !strings.Contains(err.Error(), "docker login "+hostOf(url)) || errors.Is(err, remote.ErrMissing) {
			t.Errorf("%s: error %v", name, err)
		}
		if err := c.Put(t.Context(), keyOf("one"), writing(text("one"))); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestBadConfigurations: log-ins that cannot be read are an error of the request, before a request is sent.
func TestBadConfigurations(t *testing.T) {
	docker(t, `{"auths": `)
	var request *diag.Request
	if _, err := Open(remote.Access{URL: "oci://ghcr.io/x"}, t.TempDir()); !errors.As(err, &request) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("error %v", err)
	}
	docker(t, `{}`)
	t.Setenv("REGISTRY_AUTH_FILE", "/nonexistent/auth.json")
	if _, err := Open(remote.Access{URL: "oci://ghcr.io/x"}, t.TempDir()); !errors.As(err, &request) || !strings.Contains(err.Error(), "/nonexistent/auth.json") {
		t.Errorf("error %v", err)
	}
	t.Setenv("REGISTRY_AUTH_FILE", "")
	if _, err := Open(remote.Access{URL: "oci://ghcr.io/x", Helper: "/usr/bin/helper"}, t.TempDir()); !errors.As(err, &request) || !strings.Contains(err.Error(), "/usr/bin/helper") {
		t.Errorf("error %v", err)
	}
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("HOME", "")
	if _, err := Open(remote.Access{URL: "oci://ghcr.io/x"}, t.TempDir()); err != nil {
		t.Errorf("without a home: %v", err)
	}
}

// TestBearer: a server of tokens gets the password. The registry gets the token. A token is only for the actions that are needed.
func TestBearer(t *testing.T) {
	f, url := serve(t)
	var scopes []string
	var failing atomic.Bool
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, _ := r.BasicAuth()
		if u != user || p != password || failing.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		scopes = append(scopes, r.URL.Query()["scope"]...)
		_ = json.NewEncoder(w).Encode(map[string]string{"token": "tok-" + strings.Join(r.URL.Query()["scope"], "+")})
	}))
	defer tokens.Close()
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if _, _, ok := r.BasicAuth(); ok {
			t.Error("the registry gets the password")
		}
		scope := "repository:" + repository + ":pull"
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			scope += ",push"
		}
		if got := r.Header.Get("Authorization"); got == "Bearer tok-"+scope || got == "Bearer tok-"+scope+",push" {
			return false
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="registry",scope=%q`, tokens.URL, scope))
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	docker(t, auths(hostOf(url), password))
	c := reopened(t, remote.Access{URL: url}, relaxed)
	if has, err := c.Has(t.Context(), []string{keyOf("one")}); err != nil || has[keyOf("one")] {
		t.Errorf("has %v, error %v", has, err)
	}
	if want := []string{"repository:" + repository + ":pull"}; !slices.Equal(scopes, want) {
		t.Errorf("reading asks for %q, want %q", scopes, want)
	}
	put(t, c, "one")
	wants(t, c, "one")
	// A token is asked for once for reading, and once for writing.
	if len(scopes) != 2 {
		t.Errorf("tokens for %q", scopes)
	}
	failing.Store(true)
	c = reopened(t, remote.Access{URL: url}, relaxed)
	_, err := c.Has(t.Context(), []string{keyOf("one")})
	if err == nil || !strings.Contains(err.Error(), "docker login "+hostOf(url)) || strings.Contains(err.Error(), password) {
		t.Errorf("error %v", err)
	}
}

// TestTLS: a registry with a certificate of its own authority asks for a client certificate.
func TestTLS(t *testing.T) {
	key, cert, err := verity.ThrowAway("builder")
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		treetest.Write(t, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
		return path
	}
	f := newFake(t)
	s := httptest.NewUnstartedServer(f)
	clients := x509.NewCertPool()
	clients.AddCert(cert)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	s.StartTLS()
	t.Cleanup(s.Close)
	access := remote.Access{
		URL:       "oci://" + strings.TrimPrefix(s.URL, "https://") + "/" + repository,
		Authority: file("authority.pem", "CERTIFICATE", s.Certificate().Raw), Certificate: file("client.pem", "CERTIFICATE", cert.Raw), Key: file("client.key", "PRIVATE KEY", der),
	}
	c := opened(t, access, relaxed)
	put(t, c, "one")
	wants(t, c, "one")

	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if layer(r) {
			http.Redirect(w, r, "http://127.0.0.1:1/"+r.URL.Path, http.StatusFound)
		}
		return layer(r)
	})
	if _, _, err := get(t.Context(), c, "one"); err == nil || !strings.Contains(err.Error(), "redirected from https") {
		t.Errorf("a redirection away from TLS: error %v", err)
	}

	// Another server asks for a client certificate, and does not get ours.
	storage := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			t.Error("the client certificate goes to another server")
		}
		w.Write(f.blobs[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]])
	}))
	storage.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	storage.StartTLS()
	t.Cleanup(storage.Close)
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if layer(r) {
			http.Redirect(w, r, storage.URL+r.URL.Path, http.StatusFound)
		}
		return layer(r)
	})
	wants(t, c, "one")
	system, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	if roots := c.servers.other.TLSClientConfig.RootCAs; !system.Equal(x509.NewCertPool()) && roots.Equal(c.servers.registry.TLSClientConfig.RootCAs) {
		t.Error("servers that the registry names are not trusted by this machine's authorities")
	}

	other := access
	other.Authority = access.Certificate
	none := access
	none.Certificate, none.Key = "", ""
	for name, a := range map[string]remote.Access{"another authority": other, "no client certificate": none} {
		if _, err := opened(t, a, relaxed).Has(t.Context(), []string{keyOf("one")}); err == nil || !strings.Contains(err.Error(), "tls: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
