package cli

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

const (
	updateServer = "docs/update-server.md"
	updateHost   = "updates.example.org"
)

// webServer is a web server that runs with a configuration of the page.
type webServer struct {
	dir, socket string // of the server; the socket that it listens on
	roots       *x509.CertPool
}

// newWebServer lays out what the server serves, and its certificate.
func newWebServer(t *testing.T) *webServer {
	t.Helper()
	// The path of a socket has 108 bytes at most, too few for the directory of a test.
	dir, err := os.MkdirTemp("", "web")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	treetest.WriteAll(t, filepath.Join(dir, "output"), map[string]string{
		"example/debian-repo-amd64/config": "[core]\n", "example/debug.raw": "0123456789", anObject(): "object", anImage(): "image", "index.html": "the page", "example/build.json": "{}",
		".private/example/manifest.json": "{}", "example/debian-repo-amd64/.lock": "",
	})
	w := &webServer{dir: dir, socket: filepath.Join(dir, "socket"), roots: x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{updateHost}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	treetest.Write(t, filepath.Join(dir, "fullchain.pem"), string(chain))
	treetest.Write(t, filepath.Join(dir, "privkey.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	w.roots.AppendCertsFromPEM(chain)
	return w
}

func anObject() string {
	return "example/debian-repo-amd64/objects/ab/" + strings.Repeat("c", 62) + ".filez"
}

func anImage() string {
	return "example/extend/" + strings.Repeat("a", 64) + "/" + strings.Repeat("b", 64) + ".raw"
}

// start runs the server until the test ends.
func (w *webServer) start(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = w.dir, append(os.Environ(), "HOME="+w.dir, "XDG_CONFIG_HOME="+w.dir, "XDG_DATA_HOME="+w.dir)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err == nil {
			<-ended
		}
		if t.Failed() {
			t.Log(out.String())
		}
	})
	for range 200 {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", program, err, out.String())
		case <-time.After(50 * time.Millisecond):
		}
		if conn, err := net.Dial("unix", w.socket); err == nil {
			conn.Close()
			return
		}
	}
	t.Fatalf("%s does not listen", program)
}

// get asks the server for a path.
func (w *webServer) get(t *testing.T, scheme, socket, path string, header ...string) *http.Response {
	t.Helper()
	client := http.Client{
		Transport: &http.Transport{
			DialContext:       func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) },
			TLSClientConfig:   &tls.Config{RootCAs: w.roots, ServerName: updateHost},
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       20 * time.Second,
	}
	req, err := http.NewRequest(http.MethodGet, scheme+"://"+updateHost+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// servesOutput checks the files that a server sends, and how long they may be cached.
func (w *webServer) servesOutput(t *testing.T, scheme string) {
	t.Helper()
	for path, want := range map[string]string{
		"example/debian-repo-amd64/config": "no-cache", "example/debug.raw": "no-cache", "": "no-cache", "example/build.json": "no-cache", anObject(): "public, max-age=31536000, immutable", anImage(): "public, max-age=31536000, immutable",
	} {
		resp := w.get(t, scheme, w.socket, path)
		if got := resp.Header.Values("Cache-Control"); resp.StatusCode != http.StatusOK || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s, Cache-Control %q", path, resp.Status, got)
		}
		if etag := resp.Header.Get("Etag"); etag != "" {
			t.Errorf("%s has the tag %s, which is made of its time", path, etag)
		}
	}
	for _, hidden := range []string{".private/example/manifest.json", "example/debian-repo-amd64/.lock", "example/nothing"} {
		if resp := w.get(t, scheme, w.socket, hidden); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", hidden, resp.Status)
		}
	}
	if resp := w.get(t, scheme, w.socket, "example/debug.raw", "Range", "bytes=2-3"); resp.StatusCode != http.StatusPartialContent {
		t.Errorf("a range: %s", resp.Status)
	}
}

// lookFor finds a program that may be outside of $PATH for ordinary users.
func lookFor(t *testing.T, name string) string {
	t.Helper()
	for _, p := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	treetest.Skip(t, "needs %s, whose configuration the page shows", name)
	return ""
}

// pageFile returns the file of a page for a path.
func pageFile(t *testing.T, page, path string) string {
	t.Helper()
	for _, b := range codeBlocks(t, page) {
		if b.file == path {
			return b.text
		}
	}
	t.Fatalf("%s does not show %s", page, path)
	return ""
}

// TestNginxPage runs nginx with the page's configuration: whole, and in front of serve.
func TestNginxPage(t *testing.T) {
	nginx := lookFor(t, "nginx")
	w := newWebServer(t)
	text := pageFile(t, updateServer, "/etc/nginx/conf.d/updates.conf")
	for old, new := range map[string]string{
		"/etc/letsencrypt/live/" + updateHost: w.dir, "/srv/systems/.build": w.dir + "/output",
		"listen 80;": "listen unix:" + w.dir + "/plain;", "listen 443 ssl;": "listen unix:" + w.socket + " ssl;",
	} {
		if strings.Count(text, old) == 0 {
			t.Fatalf("the configuration does not have %q", old)
		}
		text = strings.ReplaceAll(text, old, new)
	}
	text = regexp.MustCompile(`(?m)^ *listen \[::\].*\n`).ReplaceAllString(text, "")
	heard := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Behind", r.URL.Path)
		out.Header().Set("For", r.Header.Get("X-Forwarded-For"))
		if r.Method == http.MethodPost { // as serve answers
			out.Header().Set("X-Accel-Buffering", "no")
			fmt.Fprintln(out, `{"state":"queued"}`)
			_ = http.NewResponseController(out).Flush()
			<-heard
		}
	}))
	defer upstream.Close()
	for _, b := range codeBlocks(t, updateServer) {
		if b.language == "nginx" && b.file == "" {
			text += "server {\nlisten unix:" + w.dir + "/proxy;\n" + strings.ReplaceAll(b.text, "http://127.0.0.1:8080", upstream.URL) + "}\n"
		}
	}
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary.WriteString(kind + "_temp_path " + w.dir + "/temp-" + kind + ";\n")
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // the directory of the test is for its owner
	}
	conf := filepath.Join(w.dir, "nginx.conf")
	treetest.Write(t, conf, user+"daemon off;\npid "+w.dir+"/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"+temporary.String()+text+"}\n")
	if out, err := exec.Command(nginx, "-t", "-e", "stderr", "-p", w.dir, "-c", conf).CombinedOutput(); err != nil || strings.Contains(string(out), "[warn]") {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	w.start(t, nginx, "-e", "stderr", "-p", w.dir, "-c", conf)
	w.servesOutput(t, "https")
	resp := w.get(t, "http", filepath.Join(w.dir, "plain"), "example/debug.raw")
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusMovedPermanently || to != "https://"+updateHost+"/example/debug.raw" {
		t.Errorf("http: %s, to %s", resp.Status, to)
	}
	resp = w.get(t, "http", filepath.Join(w.dir, "proxy"), "example/debug.raw", "X-Forwarded-For", "192.0.2.1")
	if got := resp.Header.Get("Behind"); got != "/example/debug.raw" {
		t.Errorf("serve with nginx in front is asked for %q: %s", got, resp.Status)
	}
	if got := resp.Header.Get("For"); strings.Contains(got, "192.0.2.1") {
		t.Errorf("a client chooses its own address: %q", got)
	}
	w.passesLinesOn(t, filepath.Join(w.dir, "proxy"))
	close(heard)
}

// passesLinesOn asks for an image through a web server, and reads until the first line of the answer, which does not end before that.
func (w *webServer) passesLinesOn(t *testing.T, socket string) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /example/extend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	for lines := bufio.NewScanner(conn); ; {
		if !lines.Scan() {
			t.Errorf("the first line does not come before the last: %v", lines.Err())
			return
		}
		if strings.Contains(lines.Text(), `"queued"`) {
			return
		}
	}
}

// TestCaddyPage runs Caddy with the page's configuration, without its certificate.
func TestCaddyPage(t *testing.T) {
	caddy := lookFor(t, "caddy")
	w := newWebServer(t)
	text := pageFile(t, updateServer, "/etc/caddy/Caddyfile")
	site := updateHost + " {\n"
	if !strings.HasPrefix(text, site) || strings.Count(text, "/srv/systems/.build") != 1 {
		t.Fatalf("the configuration is another one:\n%s", text)
	}
	text = strings.Replace(text, site, "{\nadmin off\n}\nhttp://"+site+"bind unix/"+w.socket+"\n", 1)
	conf := filepath.Join(w.dir, "Caddyfile")
	treetest.Write(t, conf, strings.Replace(text, "/srv/systems/.build", w.dir+"/output", 1))
	w.start(t, caddy, "run", "--config", conf, "--adapter", "caddyfile")
	w.servesOutput(t, "http")
}

// TestUnitsOfPages: systemd accepts the units that pages show.
func TestUnitsOfPages(t *testing.T) {
	analyze := lookFor(t, "systemd-analyze")
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, page := range taskPages {
		for _, b := range codeBlocks(t, page) {
			if name := filepath.Base(b.file); b.language == "ini" {
				text := regexp.MustCompile(`(?m)^(ExecStart|ExecStartPost)=\S+`).ReplaceAllString(b.text, "$1=/bin/true")
				treetest.Write(t, filepath.Join(dir, name), strings.ReplaceAll(text, "${calendar}", "daily"))
				args = append(args, filepath.Join(dir, name))
			}
		}
	}
	if len(args) < 7 {
		t.Fatalf("only these units were found: %q", args)
	}
	if out, err := exec.Command(analyze, args...).CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v\n%s", err, out)
	}
}
