//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// project is a copy of the configuration tree that a test may change.
type project struct {
	t     *testing.T
	root  string // the checkout
	dir   string
	cache string
	// flavour is the one that build builds.
	flavour string
	// odd reports that the caller of the command has a umask, a home, a language and
	// groups of their own.
	odd bool
}

// manifest is what the tests read of manifest.json.
type manifest struct {
	Commit, Parent, Ref, Version string
	Artifacts                    []struct {
		Name, Kind, SHA256 string
		Size               int64
	}
	Steps []struct {
		ID, Key string
		Cached  bool
	}
	Distribution struct {
		Release string `json:"release_sha256"`
	}
}

func newProject(t *testing.T) *project {
	if os.Geteuid() != 0 {
		t.Fatal("building needs root")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, root: root, dir: t.TempDir(), flavour: flavourName}
	p.cache = filepath.Join(p.dir, ".cache")
	for _, dir := range []string{"features", "flavours"} {
		if err := os.CopyFS(filepath.Join(p.dir, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	// CopyFS keeps no modes; the scripts' run bit matters.
	scripts, err := filepath.Glob(filepath.Join(p.dir, "features/*/exec.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		if err := os.Chmod(s, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.write("flavours/e2e.hcl", flavourFile)
	return p
}

func (p *project) write(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// treewright runs the command and returns all it printed and its exit code.
func (p *project) treewright(stdin io.Reader, args ...string) (string, int) {
	p.t.Helper()
	argv := append([]string{filepath.Join(p.root, "build"), "-C", p.dir, "--cache", p.cache}, args...)
	if p.odd {
		argv = append([]string{"sh", "-c", "umask 077; ulimit -S -n 512; exec \"$@\"", "sh", "setpriv", "--groups=12345", "--regid=12346"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	if p.odd {
		cmd.Env = append(os.Environ(), "HOME="+p.dir, "LANG=de_DE.UTF-8", "LC_MESSAGES=de_DE.UTF-8", "TMPDIR="+p.dir, "USER=anna", "TZ=Asia/Tokyo", "GOCACHE="+goCache())
		cmd.Dir = p.dir
	}
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &out
	start := time.Now()
	err := cmd.Run()
	p.t.Logf("./build %s: %s", strings.Join(args, " "), time.Since(start).Round(100*time.Millisecond))
	if err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func (p *project) build(options ...string) manifest {
	p.t.Helper()
	out, code := p.treewright(nil, append(options, "--progress", "plain", p.flavour)...)
	if code != 0 {
		p.t.Fatalf("exit %d:\n%s", code, out)
	}
	return p.manifest()
}

func (p *project) output(name string) string {
	return filepath.Join(p.dir, ".build", p.flavour, name)
}

// private is the path of something that is not an artifact.
func (p *project) private(name string) string {
	return filepath.Join(p.dir, ".build/.private", p.flavour, name)
}

func (p *project) manifest() manifest {
	p.t.Helper()
	return p.manifestOf(p.flavour)
}

func (p *project) manifestOf(flavour string) manifest {
	p.t.Helper()
	raw, err := os.ReadFile(filepath.Join(p.dir, ".build/.private", flavour, "manifest.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		p.t.Fatal(err)
	}
	return m
}

// ran counts the steps that the build of a manifest ran.
func (m manifest) ran() (ids []string) {
	for _, s := range m.Steps {
		if !s.Cached {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func (m manifest) sums() map[string]string {
	sums := map[string]string{}
	for _, a := range m.Artifacts {
		if a.SHA256 != "" {
			sums[a.Name] = a.SHA256
		}
	}
	return sums
}

// inTools runs a shell script among the tools, with the repository at
// /treewright/in/repo/repo.
func (p *project) inTools(script string) string {
	p.t.Helper()
	out, code := p.treewright(strings.NewReader("set -eux\n"+script), "--progress", "plain", "shell", p.flavour, "image/disk")
	if code != 0 || !strings.Contains(out, "all-is-well") {
		p.t.Fatalf("exit %d:\n%s", code, out)
	}
	return out
}

// goCache is where go keeps what it compiled, whatever the home.
func goCache() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return "/var/tmp/go-build"
	}
	return strings.TrimSpace(string(out))
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}
