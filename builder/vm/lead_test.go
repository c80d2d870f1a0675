package vm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

func mustLead(t *testing.T, url string) *Lead {
	t.Helper()
	l, err := NewLead(Remote{Name: "main", URL: url}, "debian/testing", "f/repo")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWhereURLsAreLed(t *testing.T) {
	for url, want := range map[string]string{
		"https://updates.example.org/os/stable/repo":  "198.51.100.2:443 updates.example.org /os/stable/repo",
		"http://Updates.example.org/repo/":            "198.51.100.2:80 updates.example.org /repo",
		"https://updates.example.org:8443":            "198.51.100.2:8443 updates.example.org ",
		"http://192.0.2.7:8000/repo":                  "192.0.2.7:8000 192.0.2.7 /repo",
		"http://10.0.2.2:8080/debian-repo-amd64":      "127.0.0.1:8080 10.0.2.2 /debian-repo-amd64",
		"https://updates.example.org/a%20b/repo":      "198.51.100.2:443 updates.example.org /a b/repo",
		"http://localhost/repo":                       "leads to the machine itself",
		"https://127.0.0.2:8000/repo":                 "leads to the machine itself",
		"https://10.0.2.15/repo":                      "has an address of the virtual machine's own network 10.0.2.0/24",
		"https://[2001:db8::1]/repo":                  "has an IPv6 address as its host; use a name",
		"https://b\u00fccher.example/repo":            "has a host with letters that are not ASCII; write it as DNS has it, with xn--",
		"file:///media/repo":                          "is not a URL of a server, but of a file",
		"http://224.0.0.1/repo":                       "has an address that is not a host's",
		"http://updates.example.org:99999/debian":     "has the port 99999, which is not one",
		"http://updates.example.org'; reboot; '/repo": "is not a URL",
	} {
		got := ""
		l, err := NewLead(Remote{Name: "main", URL: url}, "ref", "f/repo")
		if err != nil {
			got = err.Error()
		} else {
			got = strings.Join([]string{l.Site.Addr.String(), l.Site.Host, l.Site.Path}, " ")
		}
		if !strings.HasPrefix(got, want) || err == nil && got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

// TestSiteIsTheServerOfTheURL: who asks for the remote's URL, and believes the test's
// authority, gets the repository's files, and nothing is given for another URL.
func TestSiteIsTheServerOfTheURL(t *testing.T) {
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	for _, scheme := range []string{"https", "http"} {
		l := mustLead(t, scheme+"://updates.example.org/os/stable/repo")
		l.Site.Addr = freeAddr(t)
		dir := t.TempDir()
		if err := l.Site.start(t.Context(), inside, filepath.Join(dir, requestsLog)); err != nil {
			t.Fatal(err)
		}
		believed := x509.NewCertPool()
		if scheme == "https" && !believed.AppendCertsFromPEM(l.authority) {
			t.Fatal("the authority's certificate cannot be read")
		}
		client := http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: believed}, ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, l.Site.Addr.String())
			},
		}}
		get := func(url string) (int, string) {
			resp, err := client.Get(url)
			if err != nil {
				return 0, err.Error()
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return resp.StatusCode, string(body)
		}
		commit := strings.Repeat("ab", 32)
		object := "/objects/ab/" + commit[2:] + ".commit"
		s := &Scenario{Session: &Session{Job: Job{Dir: dir}}, Lead: l}
		if err := os.Symlink(".", filepath.Join(dir, "shared")); err != nil {
			t.Fatal(err)
		}
		if err := s.pulledFrom(commit); err == nil || !strings.Contains(err.Error(), "for nothing") {
			t.Errorf("%s: nothing was pulled: %v", scheme, err)
		}
		for url, want := range map[string]int{
			scheme + "://updates.example.org" + object:                404,
			scheme + "://other.example.org/os/stable/repo" + object:   421,
			scheme + "://updates.example.org:99/os/stable/repo/refs/": 421,
		} {
			if status, body := get(url); status != want && !(scheme == "https" && strings.Contains(body, "x509: certificate is valid for updates.example.org")) {
				t.Errorf("%s: %d, %s", url, status, body)
			}
		}
		if err := s.pulledFrom(commit); err == nil || !strings.Contains(err.Error(), "updates.example.org"+object+" 404") {
			t.Errorf("%s: other URLs were asked for: %v", scheme, err)
		}
		if status, body := get(scheme + "://updates.example.org/os/stable/repo" + object); status != 200 || body != "/f/repo"+object {
			t.Errorf("%d, %s", status, body)
		}
		// The default port is the one that the URL does not name.
		if err := s.pulledFrom(commit); err != nil {
			t.Error(err)
		}
	}
}

func freeAddr(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

// TestWhatWasAskedIsCompared: neither http in place of https, nor a connection that was
// begun for another name, is the remote's URL.
func TestWhatWasAskedIsCompared(t *testing.T) {
	l := mustLead(t, "https://updates.example.org/repo")
	for _, c := range []struct {
		r  Request
		ok bool
	}{
		{Request{"https://updates.example.org/repo/summary", "updates.example.org", 200}, true},
		{Request{"https://Updates.Example.org:443/repo/summary", "updates.example.org", 200}, true},
		{Request{"https://updates.example.org/repo/summary", "updates.example.org", 404}, false},
		{Request{"https://updates.example.org/repo/summary", "", 200}, false},
		{Request{"http://updates.example.org/repo/summary", "updates.example.org", 200}, false},
		{Request{"https://10.0.2.2/repo/summary", "updates.example.org", 200}, false},
		{Request{"https://updates.example.org:8443/repo/summary", "updates.example.org", 200}, false},
		{Request{"https://updates.example.org/repo2/summary", "updates.example.org", 200}, false},
	} {
		if err := l.check([]Request{c.r}, "/refs/heads/x", "/summary"); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.r, err)
		}
	}
	a := mustLead(t, "https://192.0.2.7/repo")
	if err := a.check([]Request{{"https://192.0.2.7/repo/summary", "", 200}}, "/summary"); err != nil {
		t.Errorf("an address has no name to begin a connection for: %v", err)
	}
}

// TestCertificateIsShortLived: what leaks from a test is of no use.
func TestCertificateIsShortLived(t *testing.T) {
	l := mustLead(t, "https://updates.example.org/repo")
	pair, err := tls.X509KeyPair(l.Site.Certificate, l.Site.Key)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(pair.Leaf.NotAfter); left > 31*24*time.Hour || pair.Leaf.IsCA {
		t.Errorf("valid for %s, CA: %v", left, pair.Leaf.IsCA)
	}
}

// TestLeadCoversFiles runs what the guest runs, on an /etc that is the test's.
func TestLeadCoversFiles(t *testing.T) {
	if os.Getuid() != 0 {
		treetest.Skip(t, "needs root: it mounts")
	}
	l := mustLead(t, "https://updates.example.org/repo")
	etc := t.TempDir()
	treetest.Write(t, filepath.Join(etc, "hosts"), "127.0.0.1 localhost\n192.0.2.1 Updates.Example.ORG updates\n")
	treetest.Write(t, filepath.Join(etc, "ssl/certs/ca-certificates.crt"), "-----old-----\n")
	script := `set -euo pipefail
mount --bind "$1" /etc
cd "$2"
` + l.script() + l.script() + `
cat /etc/hosts /etc/ssl/certs/ca-certificates.crt
`
	cmd := exec.Command("unshare", "--mount", "bash", "-c", script, "guest", etc, t.TempDir())
	out, err := cmd.CombinedOutput()
	if want := "198.51.100.2 updates.example.org\n127.0.0.1 localhost\n-----old-----\n" + string(l.authority) + "\n"; err != nil || string(out) != want {
		t.Errorf("%v\ngot\n%s\nwant\n%s", err, out, want)
	}
	if got := treetest.Content(t, filepath.Join(etc, "hosts")); strings.Contains(got, "198.51.100.2") {
		t.Errorf("it stays: %s", got)
	}
}
