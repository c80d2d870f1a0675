//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestServeMakesImages: a machine asks a server for packages and gets an image for its commit, and the server ends as it should.
func TestServeMakesImages(t *testing.T) {
	t.Parallel()
	p := sharing(t, strings.Replace(minimal, "    os_name", "    pool    = [\"tree\"]\n    os_name", 1))
	p.write("treewright.hcl", "extend {\n  packages = [\"tree\"]\n}\n")
	made := p.build()

	cmd := exec.Command(filepath.Join(p.root, "build"), "-C", p.dir, "--cache", p.cache, "serve", "--listen", "127.0.0.1:0")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	url, lines := "", bufio.NewScanner(said)
	for lines.Scan() {
		if m := regexp.MustCompile(`http://[0-9.:]+`).FindString(lines.Text()); m != "" {
			url = m + "/" + p.flavour + "/extend"
			break
		}
	}
	ask := func(name string) (status int, last map[string]any) {
		t.Helper()
		resp, err := http.Post(url, "application/json", strings.NewReader(`{"commit":"`+made.Commit+`","packages":["`+name+`"]}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for answer := json.NewDecoder(resp.Body); ; {
			var m map[string]any
			if err := answer.Decode(&m); err == io.EOF {
				return resp.StatusCode, last
			} else if err != nil {
				t.Fatal(err)
			}
			last = m
		}
	}
	if status, last := ask("htop"); status != http.StatusForbidden || last["state"] != "failed" {
		t.Errorf("what is not allowed: %d %v", status, last)
	}
	status, last := ask("tree")
	if status != http.StatusOK || last["state"] != "done" {
		t.Fatalf("what is allowed: %d %v", status, last)
	}
	resp, err := http.Get(url + "/" + last["document"].(string))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var d struct {
		Commit, SHA256 string
		Added          []struct{ Name string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil || d.Commit != made.Commit || len(d.Added) != 1 || d.Added[0].Name != "tree" {
		t.Errorf("%+v %v", d, err)
	}
	if got := hashOf(t, p.output("extend/"+d.Commit+"/"+d.SHA256+".raw")); got != d.SHA256 {
		t.Errorf("the image has the SHA-256 %s", got)
	}
	p.bundle(strings.TrimSuffix(url, "/extend"), d.Commit, d.SHA256)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// bundle copies the image and the pool of a commit from a server, and looks at what is in the copy.
func (p *project) bundle(url, commit, image string) {
	p.t.Helper()
	stick := filepath.Join(p.dir, "stick")
	if out, code := p.treewright(nil, "bundle", commit, "tree", "--server", url, "--to", stick); code != 0 || !strings.Contains(out, "the bundle has all packages that were published with this commit (1)") {
		p.t.Fatalf("exit %d:\n%s", code, out)
	}
	if got := hashOf(p.t, filepath.Join(stick, commit, image+".raw")); got != image {
		p.t.Errorf("the image of the bundle has the SHA-256 %s", got)
	}
	debs, err := filepath.Glob(filepath.Join(stick, "pool/files/*.deb"))
	if err != nil || len(debs) != 1 || filepath.Base(debs[0]) != hashOf(p.t, debs[0])+".deb" {
		p.t.Fatalf("the pool of the bundle has %v, %v", debs, err)
	}
	list := p.read(filepath.Join(stick, "pool", commit, "Packages"))
	if out, err := exec.Command("dpkg-deb", "--field", debs[0], "Package").CombinedOutput(); err != nil || string(out) != "tree\n" || !strings.Contains(list, "\nFilename: files/"+filepath.Base(debs[0])+"\n") {
		p.t.Errorf("the package is %s, %v, and its list\n%s", out, err, list)
	}
}
