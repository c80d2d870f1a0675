package download

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestCredentials: a server gets the name and password that are meant for it, also
// if another one led there, and no others.
func TestCredentials(t *testing.T) {
	guarded := func(user, password, next string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			u, p, _ := r.BasicAuth()
			switch {
			case u != user || p != password:
				http.Error(w, u+":"+p, http.StatusUnauthorized)
			case next != "":
				http.Redirect(w, r, next, http.StatusFound)
			default:
				io.WriteString(w, "in")
			}
		}))
		t.Cleanup(s.Close)
		return s
	}
	open, second := guarded("", "", ""), guarded("b", "two", "")
	first, away := guarded("a", "one", second.URL), guarded("a", "one", open.URL)
	c := client(relaxed)
	c.Credentials(func(u *url.URL) *url.Userinfo {
		switch "http://" + u.Host {
		case first.URL, away.URL:
			return url.UserPassword("a", "one")
		case second.URL:
			return url.UserPassword("b", "two")
		}
		return nil
	})
	for name, at := range map[string]string{
		"its own": second.URL, "after a redirection": first.URL, "none after a redirection": away.URL, "none": open.URL,
		"of the URL": strings.Replace(second.URL, "//", "//b:two@", 1),
	} {
		if got, err := c.get(t.Context(), at); err != nil || string(got) != "in" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := c.get(t.Context(), strings.Replace(second.URL, "//", "//a:one@", 1)); err == nil {
		t.Error("the URL's own password is not the one that is used")
	}
}

// TestTrust: a host's own authority replaces the machine's, for that host only.
func TestTrust(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "in") }))
	defer s.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	c := client(relaxed)
	if _, err := c.get(t.Context(), s.URL); err == nil || !Lasting(err) {
		t.Errorf("without the authority: %v", err)
	}
	if !c.Trust("example.com", authority) {
		t.Error("the authority is not taken for another host")
	}
	if _, err := c.get(t.Context(), s.URL); err == nil {
		t.Error("the authority of another host is believed")
	}
	if c.Trust("127.0.0.1", []byte("no certificate")) {
		t.Error("a file without a certificate is taken")
	}
	if !c.Trust("127.0.0.1", authority) {
		t.Fatal("the authority is not taken")
	}
	if got, err := c.get(t.Context(), s.URL); err != nil || string(got) != "in" {
		t.Errorf("with the authority: %q, %v", got, err)
	}
}
