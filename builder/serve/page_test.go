package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treetest"
)

// hostile is the name of a flavour that HTML and shells would take for more than that.
const hostile = `k<b>'$(id)`

const siteRef = "debian/testing/amd64"

// site makes an output directory with the flavour hostile, whose repository has a
// commit for each list of packages, the oldest first. It returns the commits.
func site(t testing.TB, packages ...string) (root string, commits []string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "build")
	repo, tree := filepath.Join(root, hostile, "repo"), filepath.Join(t.TempDir(), "tree")
	treetest.Write(t, filepath.Join(tree, "usr/file"), "file")
	if err := os.MkdirAll(filepath.Dir(repo), 0o755); err != nil {
		t.Fatal(err)
	}
	runOSTree(t, "--repo="+repo, "init", "--mode=archive")
	for i, lines := range packages {
		args := []string{"--repo=" + repo, "commit", "--branch=" + siteRef, "--tree=dir=" + tree, "--no-bindings", "--owner-uid=0", "--owner-gid=0",
			"--timestamp=@" + []string{"1700000000", "1700100000"}[i%2], "--add-metadata-string=version=1.<i>" + string(rune('a'+i))}
		if lines != "" {
			args = append(args, "--add-metadata-string=treewright.packages="+lines)
		}
		if i > 0 {
			args = append(args, "--parent="+commits[i-1])
		}
		commits = append(commits, runOSTree(t, args...))
	}
	runOSTree(t, "--repo="+repo, "summary", "--update")
	m := publish.Manifest{
		Flavour: hostile, Description: "A <script>alert(1)</script> system.", CanonicalName: "kiosk-amd64", Features: []string{"base"},
		Distribution: publish.ManifestDistribution{Family: "debian", Suite: "testing", Arch: "amd64", Mirror: "https://" + secret, Release: secret,
			Sources: []publish.ManifestSource{{Name: secret, URL: secret}}},
		Parameters: map[string]map[string]any{"base": {"user": secret, "remote_name": secret}, "repo": {"os_name": "debian", "remote_name": "it's", "remote_url": secret}},
		Packages:   []publish.ManifestPackage{{Package: distro.Package{Name: "bash", Version: "2", Arch: "amd64"}, Source: secret}},
		Extensions: map[string][]publish.ManifestPackage{"debug": {{Package: distro.Package{Name: "gdb", Version: "9", Arch: "amd64"}}}},
		Tools:      []publish.ManifestTools{{Purpose: secret, Release: secret}},
		Ref:        siteRef, Commit: commits[len(commits)-1], Version: "1.<i>z",
		Artifacts: []artifact{
			{Name: "repo", Kind: "repository", Size: 5 << 20, Description: "the repository"}, {Name: "debug.raw", Kind: "file", Size: 4, SHA256: sum("tool")},
		},
		Steps: []publish.ManifestStep{{ID: secret, Key: secret, Log: secret, Warnings: []string{secret}}},
	}
	write(t, filepath.Join(root, hostile, "debug.raw"), "tool")
	write(t, filepath.Join(root, hostile, publish.SumsName), sum("tool")+" *debug.raw\n")
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	write(t, publish.OutputOf(root, hostile).Manifest(), string(raw))
	return root, commits
}

func runOSTree(t testing.TB, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ostree"); err != nil {
		treetest.Skip(t, "needs ostree: it makes repositories and pulls from them")
	}
	out, err := exec.Command("ostree", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ostree %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// fetch asks a server on the loopback device.
func fetch(t testing.TB, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// flavourPath is the path of a name of the hostile flavour in a URL.
func flavourPath(name string) string { return urlPath(hostile, name) }

func TestPage(t *testing.T) {
	root, commits := site(t, "bash 1\nvim<i> 9", "bash 2\njq 1.8\n")
	h, notes := newHandler(t, root)
	addr, _ := start(t, h)
	resp, page := fetch(t, "http://"+addr+"/")
	if got := resp.Header.Get("Content-Security-Policy"); got != policy || strings.Contains(got, "script") {
		t.Errorf("the policy is %q", got)
	}
	for _, want := range []string{
		"k&lt;b&gt;&#39;$(id)", "A &lt;script&gt;alert(1)&lt;/script&gt; system.", "Debian testing, amd64", "1.&lt;i&gt;z", commits[1], "5.2 MB", "days</dd>",
		"<dd>3 packages</dd>", "1 package changed, 1 package added, 1 package removed", "vim&lt;i&gt;", ": the first commit", "2023-11-16 02:00 UTC",
		"ostree remote add --no-gpg-verify &#39;it&#39;\\&#39;&#39;s&#39; &#39;http://" + addr + "/k%3Cb%3E%27$%28id%29/repo&#39;\nostree admin upgrade",
		"curl -fo /var/lib/extensions/debug.raw &#39;http://" + addr + "/k%3Cb%3E%27$%28id%29/debug.raw&#39;", ">manifest</a>", ">metrics</a>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	for _, bad := range []string{"<script", "<b>", "<i>", "ZgotmplZ", secret, ">report</a>", "since the server was started"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	// A client chooses the host that it asks for, and another one may get that page from a cache.
	if _, page := fetch(t, "http://"+addr+"/", "Host", "x;id"); strings.Contains(page, "x;id") || !strings.Contains(page, "http://SERVER/") {
		t.Error("the page has the host that was asked for")
	}
	h.At("https://updates.example.org/os")
	if _, page := fetch(t, "http://"+addr+"/"); !strings.Contains(page, "s&#39; &#39;https://updates.example.org/os/k%3C") {
		t.Error("the page has another URL than that of the server in front")
	}
	if len(*notes) != 0 {
		t.Errorf("notes %q", *notes)
	}
}

// TestManifestStaysPrivate: what anybody gets of a manifest is what the artifacts tell.
func TestManifestStaysPrivate(t *testing.T) {
	root, commits := site(t, "bash 2")
	h, _ := newHandler(t, root)
	addr, _ := start(t, h)
	resp, body := fetch(t, "http://"+addr+flavourPath("build.json"))
	if strings.Contains(body, secret) || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v\n%s", resp.Header, body)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range got {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if want := []string{"artifacts", "commit", "description", "distribution", "extensions", "features", "flavour", "packages", "ref", "remote", "version"}; !slices.Equal(keys, want) {
		t.Errorf("it has %q, not %q", keys, want)
	}
	if got["commit"] != commits[0] {
		t.Errorf("the commit is %v", got["commit"])
	}
	for _, path := range []string{"", "index.json", "metrics"} {
		if _, body := fetch(t, "http://"+addr+"/"+path); strings.Contains(body, secret) {
			t.Errorf("/%s tells too much:\n%s", path, body)
		}
	}
}

// TestReportBesideArtifacts: a report is served when somebody put it there.
func TestReportBesideArtifacts(t *testing.T) {
	root, _ := site(t, "bash 2")
	h, _ := newHandler(t, root)
	path := flavourPath("report.html")
	if w := get(t, h, path); w.Code != 404 {
		t.Errorf("without a report: %d", w.Code)
	}
	file := filepath.Join(root, hostile, "report.html")
	write(t, filepath.Join(filepath.Dir(root), "private.html"), secret)
	if err := os.Symlink("../../private.html", file); err != nil {
		t.Fatal(err)
	}
	if w := get(t, h, path); w.Code != 404 || strings.Contains(get(t, h, "/").Body.String(), ">report</a>") {
		t.Errorf("a link is served: %d %q", w.Code, w.Body)
	}
	write(t, file, "<p>the report")
	w := get(t, h, path)
	if w.Code != 200 || w.Body.String() != "<p>the report" || w.Header().Get("Content-Security-Policy") != policy || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	if !strings.Contains(get(t, h, "/").Body.String(), ">report</a>") {
		t.Error("the page has no link to it")
	}
}

var hrefs = regexp.MustCompile(`href="([^"]+)"`)

// TestWrite: the page that is written leads on a plain web server to what is there.
func TestWrite(t *testing.T) {
	root, _ := site(t, "bash 1", "bash 2")
	for range 2 { // the second one over the first
		wrote, err := Write(root, nil, "https://updates.example.org", nil)
		if want := []string{filepath.Join(root, hostile, "build.json"), filepath.Join(root, "index.html")}; err != nil || !slices.Equal(wrote, want) {
			t.Fatalf("wrote %q, error %v", wrote, err)
		}
	}
	plain := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer plain.Close()
	resp, page := fetch(t, plain.URL+"/")
	if resp.StatusCode != 200 || !strings.Contains(page, "https://updates.example.org/k%3Cb") || !strings.Contains(page, ": 1 package changed<") {
		t.Errorf("%s\n%s", resp.Status, page)
	}
	for _, bad := range []string{secret, ">age<", "metrics", "index.json"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	links := hrefs.FindAllStringSubmatch(page, -1)
	for _, m := range links {
		if resp, _ := fetch(t, plain.URL+"/"+strings.ReplaceAll(m[1], "&#39;", "'")); resp.StatusCode != 200 {
			t.Errorf("%s: %s", m[1], resp.Status)
		}
	}
	if len(links) != 3 {
		t.Errorf("links %q", links)
	}
	h, _ := newHandler(t, root)
	if got, _ := os.ReadFile(filepath.Join(root, hostile, "build.json")); string(got) != get(t, h, flavourPath("build.json")).Body.String() {
		t.Error("what is served of the manifest is not what is written")
	}
	write(t, filepath.Join(root, "index.html"), "a page of somebody else")
	if _, err := Write(root, nil, "https://x", nil); err == nil || !strings.Contains(err.Error(), "was not written by Treewright") {
		t.Errorf("error %v", err)
	}
	if raw, err := os.ReadFile(filepath.Join(root, "index.html")); string(raw) != "a page of somebody else" {
		t.Errorf("%q, error %v", raw, err)
	}
}

func TestHistory(t *testing.T) {
	packages := make([]string, longest+2)
	for i := range packages {
		packages[i] = "bash " + string(rune('a'+i))
	}
	packages[longest] = "" // the last but one, of an earlier version
	root, commits := site(t, packages...)
	repo := filepath.Join(root, hostile, "repo")
	shown, more, err := history(repo, commits[longest+1])
	if err != nil || !more || len(shown) != longest || shown[0].Commit != commits[longest+1] || shown[0].Changes != nil || shown[1].Changes != nil {
		t.Fatalf("%d commits, more: %v, error %v; %+v", len(shown), more, err, shown)
	}
	if last := shown[longest-1]; last.Changes == nil || len(last.Changes.Changed) != 1 || last.First {
		t.Errorf("the last one that is shown: %+v", last)
	}
	object := func(sum string) string { return filepath.Join(repo, "objects", sum[:2], sum[2:]+".commit") }
	if err := os.Remove(object(commits[10])); err != nil {
		t.Fatal(err)
	}
	shown, more, err = history(repo, commits[12])
	if err != nil || more || len(shown) != 2 || shown[1].Changes != nil || shown[1].First {
		t.Errorf("a history that was cut off: %v, error %v; %+v", more, err, shown)
	}
	write(t, object(commits[11]), "rubbish")
	if shown, _, err = history(repo, commits[12]); err == nil || len(shown) != 1 {
		t.Errorf("damage: error %v, %+v", err, shown)
	}
	if _, _, err := history(repo, "../../../x"); err == nil {
		t.Error("a path is a commit")
	}
	h, notes := newHandler(t, root)
	if w := get(t, h, "/"); w.Code != 200 || len(*notes) != 1 || !strings.Contains((*notes)[0], "reading the history of k<b>") {
		t.Errorf("a damaged history: %d, notes %q", w.Code, *notes)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "less than a minute", 59 * time.Second: "less than a minute", time.Minute: "1 minute", 59 * time.Minute: "59 minutes",
		time.Hour: "1 hour", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 1000 * time.Hour: "41 days",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %q, not %q", d, got, want)
		}
	}
}
