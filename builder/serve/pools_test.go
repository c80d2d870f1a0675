package serve

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treetest"
)

// TestPoolsAreServed: the files of pools, and nothing else in their directory or outside of it.
func TestPoolsAreServed(t *testing.T) {
	root := extendable(t)
	h, _ := newHandler(t, root)
	dir, hash := filepath.Join(root, "b", extend.PoolDir), strings.Repeat("0", 64)
	good := map[string][2]string{
		commitB + "/InRelease":   {"text/plain; charset=utf-8", "no-cache"},
		commitB + "/Release":     {"text/plain; charset=utf-8", "no-cache"},
		commitB + "/Release.gpg": {"text/plain; charset=utf-8", "no-cache"},
		commitB + "/Packages":    {"text/plain; charset=utf-8", "no-cache"},
		"files/" + hash + ".deb": {"application/vnd.debian.binary-package", "public, max-age=31536000, immutable"},
	}
	for name := range good {
		write(t, filepath.Join(dir, name), "content of "+name)
	}
	for name, want := range good {
		for _, prefix := range []string{"/b/pool/", "/pool/", "//pool//"} {
			w := get(t, h, prefix+name)
			if w.Code != 200 || w.Body.String() != "content of "+name || w.Header().Get("Content-Type") != want[0] || w.Header().Get("Cache-Control") != want[1] {
				t.Errorf("%s%s: %d %q %v", prefix, name, w.Code, w.Body, w.Header())
			}
			if again := get(t, h, prefix+name, "If-None-Match", w.Header().Get("Etag")); again.Code != 304 {
				t.Errorf("%s%s with its tag: %d", prefix, name, again.Code)
			}
			if post := ask(t, h, "POST", prefix+name); post.Code != 405 {
				t.Errorf("POST %s%s: %d", prefix, name, post.Code)
			}
		}
		if w := get(t, h, "/a/pool/"+name); w.Code != 404 {
			t.Errorf("a file of b is at a: %d", w.Code)
		}
	}
	strays := []string{
		"files/Packages", "files/" + hash, "files/x.deb", "files/" + hash + ".deb.new", "files/.x.new", commitB + "/" + hash + ".deb", commitB + "/Sources", commitB + "/sub/Packages",
		"." + commitB + ".new/Packages", "short/Packages", "Packages", "files", commitB, commitB + "/", "",
	}
	for _, stray := range strays {
		if stray != "" && !strings.HasSuffix(stray, "/") && stray != "files" && stray != commitB {
			write(t, filepath.Join(dir, stray), secret)
		}
	}
	write(t, filepath.Join(root, "a", extend.PoolDir, "files", "x"), "")
	for link, target := range map[string]string{
		filepath.Join(dir, commitA): "../../a/repo/objects",
		filepath.Join(root, "a", extend.PoolDir, "files", strings.Repeat("1", 64)+".deb"): filepath.Join(root, "..", "outside"),
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "a/repo/objects/Packages"), secret)
	strays = append(strays, commitA+"/Packages", "files/"+strings.Repeat("1", 64)+".deb", "../repo/config", commitB+"/%2e%2e/files/x.deb", "%2e%2e/%2e%2e/outside", commitB+"/Packages%0a", commitB+"/../x/Packages")
	for _, stray := range strays {
		for _, prefix := range []string{"/a/pool/", "/b/pool/", "/pool/"} {
			if w := get(t, h, prefix+stray); w.Code != 404 || strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s%s: %d %q", prefix, stray, w.Code, w.Body)
			}
		}
	}
}

// TestAptTakesPools: apt reads a pool that is served, believes its signature, and downloads packages from it.
func TestAptTakesPools(t *testing.T) {
	for _, program := range []string{"apt-get", "gpg", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			treetest.Skip(t, "needs the program %s", program)
		}
	}
	lib := debtest.Package{Name: "libgreet1", Version: "1:2+b1~x", Arch: "amd64"}
	repo := debtest.New(t, &debtest.Suite{Name: "stable", Packages: append(debtest.Base(), lib, debtest.Package{Name: "greet", Fields: map[string]string{"Depends": "libgreet1"}})})
	policy := debian.Policy{}
	cache := t.TempDir()
	archive, err := policy.Open(t.Context(), distro.ArchiveOptions{
		Sources: []distro.Source{{Name: "main", URL: repo.FileURL(), Suite: "stable", Components: []string{"main"}, Keyring: repo.Key.Keyring}}, Arch: "amd64", Cache: cache, Client: policy.Client(download.Once, func(string) {}),
	})
	if err != nil {
		t.Fatal(err)
	}
	base, err := archive.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := archive.Resolve(t.Context(), base, []distro.Want{{Name: "greet"}})
	if err != nil {
		t.Fatal(err)
	}
	store, err := layer.Open(filepath.Join(cache, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	step := plan.Step{ID: "packages/pool", Action: "x", Output: plan.Dir, Artifacts: []plan.Artifact{{Name: "pool", Path: ".", Kind: plan.PoolArtifact}}}
	g := &plan.Graph{}
	if err := g.Add(step); err != nil {
		t.Fatal(err)
	}
	draft, err := store.Begin(g.Key(step.ID))
	if err != nil {
		t.Fatal(err)
	}
	hints := distro.FetchHints{Mirrors: map[string][]string{"main": {repo.FileURL()}}, Cache: filepath.Join(cache, "packages")}
	epoch, err := debian.Family{}.Fetch(t.Context(), all.Minus(base).Index(), draft.Data, hints, func(int64, int64) {}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	write(t, draft.Log, "")
	if err := draft.Commit(layer.Result{Step: step.ID, Epoch: epoch}); err != nil {
		t.Fatal(err)
	}
	root := extendable(t)
	key := debtest.NewKey(t, "releases")
	byKey, err := sign.Of(t.Context(), key.Secret(t))
	if err != nil {
		t.Fatal(err)
	}
	defer byKey.Close()
	script := filepath.Join(t.TempDir(), "sign")
	write(t, script, "#!/bin/sh\nexec gpg --homedir "+filepath.Dir(key.Keyring)+" --batch --quiet --detach-sign\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	byCommand, err := sign.NewSigner(t.Context(), sign.Options{Command: []string{script}, Dir: "/"}, byKey.Keys)
	if err != nil {
		t.Fatal(err)
	}
	h, _ := newHandler(t, root)
	server := httptest.NewServer(h)
	defer server.Close()
	for name, signer := range map[string]*sign.Signer{"key": byKey, "command": byCommand} {
		for _, at := range []string{"/a/pool", "/pool"} {
			t.Run(name+at, func(t *testing.T) {
				if err := os.RemoveAll(filepath.Join(root, "a/pool")); err != nil {
					t.Fatal(err)
				}
				f := publish.Finished{Store: store, Graph: g, Manifest: &publish.Manifest{Commit: commitA}, Pools: debian.Family{}, Pool: all.Minus(base).Packages, Signer: signer}
				if err := f.Publish(t.Context(), publish.OutputOf(root, "a")); err != nil {
					t.Fatal(err)
				}
				writeManifest(t, root, "a", artifact{Name: "repo", Kind: "repository"})
				said, err := aptIn(t, "deb [signed-by="+key.Keyring+"] "+server.URL+at+" "+commitA+"/", "install", "--download-only", "--yes", "greet")
				if err != nil || !strings.Contains(said, "/cache/archives/libgreet1_") || strings.Contains(said, "W:") {
					t.Errorf("error %v\n%s", err, said)
				}
				if said, err := aptIn(t, "deb [signed-by="+repo.Key.Keyring+"] "+server.URL+at+" "+commitA+"/", "install", "--simulate", "greet"); err == nil {
					t.Errorf("the signature of another key is believed:\n%s", said)
				}
			})
		}
	}
}

// aptIn runs apt in its own root with one source.
func aptIn(t *testing.T, source string, args ...string) (string, error) {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"etc/apt/preferences.d", "etc/apt/apt.conf.d", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "etc/apt/sources.list"), source+"\n")
	write(t, filepath.Join(root, "apt.conf"), fmt.Sprintf(`Dir "/"; Dir::Etc "%[1]s/etc/apt"; Dir::State::lists "%[1]s/lists"; Dir::State::status "/dev/null"; Dir::Cache "%[1]s/cache"; Dir::Log "%[1]s";
		APT::Architecture "amd64"; APT::Architectures { "amd64"; }; APT::Sandbox::User "root"; Acquire::http::Proxy "DIRECT"; Acquire::Languages "none"; Debug::NoLocking "true";`, root))
	said := ""
	for _, argv := range [][]string{{"update", "-o", "APT::Update::Error-Mode=any"}, args} {
		cmd := exec.Command("apt-get", argv...)
		cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(root, "apt.conf"), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		said += string(out)
		if err != nil {
			return said, err
		}
	}
	debs, err := filepath.Glob(filepath.Join(root, "cache/archives/*.deb"))
	return said + strings.Join(debs, "\n"), err
}
