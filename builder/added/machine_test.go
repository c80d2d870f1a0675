package added

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treetest"
)

var (
	commitA = strings.Repeat("a", 64)
	commitB = strings.Repeat("b", 64)
	commitC = strings.Repeat("c", 64)
)

// soon has short timeouts, and four tries.
var soon = download.Timing{Answer: 20 * time.Second, Stall: 20 * time.Second, Pauses: []time.Duration{1, 2, 3}}

// programs are the programs of a machine that this package calls. @ is the root of the machine. systemd-sysext merges units that an image
// names.
var programs = map[string]string{
	"ostree": `echo "ostree $*" >>@/log
case "$*" in
*status*) cat @/status.json ;;
"admin lock-finalization") sed -i '/"staged":true/s/"finalization-locked":false/"finalization-locked":true/' @/status.json ;;
"admin lock-finalization --unlock") sed -i 's/"finalization-locked":true/"finalization-locked":false/' @/status.json ;;
*) exit 9 ;;
esac
`,
	"systemd-sysext": `echo "systemd-sysext $*" >>@/log
if [ -e @/sysext-fails ]; then echo "no space" >&2; exit 1; fi
for u in $(cat @/merged-units 2>/dev/null); do rm "@/usr/lib/systemd/system/$u"; done
rm -f @/merged-units @/usr/lib/extension-release.d/*
target=$(readlink @/run/extensions/added.raw) || exit 0
mkdir -p @/usr/lib/extension-release.d @/usr/lib/systemd/system/multi-user.target.upholds
: >@/usr/lib/extension-release.d/extension-release.added
sed -n 's/^unit //p' "@$target" >@/merged-units
for u in $(cat @/merged-units); do : >"@/usr/lib/systemd/system/$u"; done
`,
	"systemctl": `echo "systemctl $*" >>@/log
case "$*" in
*Wants*) echo web.service broken.service masked.service ;;
*LoadState*masked*) echo masked ;;
*LoadState*) echo loaded ;;
"start broken.service") exit 1 ;;
"stop alias.service"*) echo "Failed to stop alias.service: Unit alias.service not loaded." >&2; exit 5 ;;
esac
`,
}

// testMachine is a machine in a directory that has booted commit A, and a server.
type testMachine struct {
	*Machine
	t      *testing.T
	server *testServer
	said   []string
}

// newMachine makes a machine whose remote asks for signatures if keys is not nil.
func newMachine(t *testing.T, s *testServer, keys *sign.Keyring) *testMachine {
	t.Helper()
	root := t.TempDir()
	m := &testMachine{t: t, server: s}
	m.Machine = &Machine{Root: root, Path: filepath.Join(root, "bin") + ":" + os.Getenv("PATH"), Timing: soon,
		Say:  func(line string) { m.said = append(m.said, line) },
		Free: func(string) (int64, error) { return 1 << 40, nil }}
	for name, text := range programs {
		treetest.Write(t, m.at("bin", name), "#!/bin/sh\n"+strings.ReplaceAll(text, "@", root))
		if err := os.Chmod(m.at("bin", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	verify := "false"
	if keys != nil {
		verify = "true"
		treetest.Write(t, m.at("usr/share/ostree/trusted.gpg.d/treewright.gpg"), string(keys.Binary))
	}
	treetest.Write(t, m.at(systemRepo, "config"), "[core]\nmode=bare\n\n[remote \"main\"]\nurl="+s.URL+"/os/debian-repo-amd64\ngpg-verify="+verify+"\n")
	treetest.Write(t, m.at(bootedFile), "")
	treetest.Write(t, m.at(unitsDir, "old.service"), "")
	m.deploy(Deployment{Commit: commitA, Version: "1", Booted: true})
	return m
}

// deploy gives the machine deployments, all of which follow the remote.
func (m *testMachine) deploy(all ...Deployment) {
	m.t.Helper()
	var lines []string
	for _, d := range all {
		d.Refspec = "main:debian/testing/amd64"
		text, err := json.Marshal(d)
		if err != nil {
			m.t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	treetest.Write(m.t, m.at("status.json"), `{"deployments":[`+strings.Join(lines, ",\n")+"]}\n")
}

// log returns the commands that were run since the last call, without questions.
func (m *testMachine) log() string {
	text, _ := os.ReadFile(m.at("log"))
	os.Remove(m.at("log"))
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "status") && !strings.Contains(line, "show") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// state returns all files that are kept, with shortened digests of commits.
func (m *testMachine) state() string {
	m.t.Helper()
	var lines []string
	for _, name := range []string{wantedFile, linkFile, hintFile, heldFile} {
		if target, err := os.Readlink(m.at(name)); err == nil {
			lines = append(lines, name+" -> "+target)
		} else if text, err := os.ReadFile(m.at(name)); err == nil {
			lines = append(lines, name+": "+strings.TrimSpace(string(text)))
		}
	}
	entries, _ := os.ReadDir(m.at(imagesDir))
	for _, e := range entries {
		files, _ := os.ReadDir(m.at(imagesDir, e.Name()))
		line := e.Name() + ":"
		for _, f := range files {
			line += " " + f.Name()
		}
		if i, err := m.image(e.Name()); err == nil {
			line += " of " + strings.Join(i.document.Packages, " ")
		}
		lines = append(lines, line)
	}
	text := strings.Join(lines, "\n")
	for short, commit := range map[string]string{"A": commitA, "B": commitB, "C": commitC} {
		text = strings.ReplaceAll(text, commit, short)
	}
	return strings.ReplaceAll(text, imagesDir, "IMAGES")
}

func (m *testMachine) wantState(want string) {
	m.t.Helper()
	if got := m.state(); got != strings.TrimSpace(want) {
		m.t.Errorf("the machine has\n%s\n\nwant\n%s", got, strings.TrimSpace(want))
	}
}

// testServer serves files, and makes images when posted to.
type testServer struct {
	*httptest.Server
	t      *testing.T
	signer *sign.Signer

	mu    sync.Mutex
	files map[string][]byte
	// fault is called before each request, and returns true if it has answered.
	fault func(w http.ResponseWriter, r *http.Request) bool
	// units are the lines of the image of a package.
	units map[string]string
	// versions are the versions of the packages in images, "1-1" if it is "".
	versions string
	posts    int
}

// newServer starts a server. It signs if signer is not nil.
func newServer(t *testing.T, signer *sign.Signer) *testServer {
	s := &testServer{t: t, signer: signer, files: map[string][]byte{}, units: map[string]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// publish makes the image of packages.
func (s *testServer) publish(q extend.Request) *extend.Document {
	q = q.Sorted()
	content := "image for " + q.Commit[:1] + "\n"
	d := &extend.Document{Request: q, Arch: "amd64", Key: "k"}
	for _, name := range q.Packages {
		content += "of " + name + "\n" + s.units[name]
		version := cmp.Or(s.versions, "1-1")
		d.Added = append(d.Added, distro.Package{Name: name, Version: version, Arch: "amd64"}, distro.Package{Name: "lib" + name, Version: version, Arch: "amd64"})
	}
	sum := sha256.Sum256([]byte(content))
	d.Size, d.SHA256 = int64(len(content)), hex.EncodeToString(sum[:])
	text, err := d.Encode()
	if err != nil {
		s.t.Error(err)
	}
	s.files[q.DocumentFile()], s.files[d.ImageFile()] = text, []byte(content)
	if s.signer != nil {
		if s.files[q.SignatureFile()], err = s.signer.Sign(context.Background(), "image", text); err != nil {
			s.t.Error(err)
		}
	}
	return d
}

// ServeHTTP implements [http.Handler].
func (s *testServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil && s.fault(w, r) {
		return
	}
	if r.Method == http.MethodPost && r.URL.Path == "/os/extend" {
		s.posts++
		var q extend.Request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			s.t.Error(err)
		}
		s.publish(q)
		w.Header().Set("Content-Type", extend.ContentType)
		answer(w, extend.Message{State: extend.Queued, Ahead: 2})
		answer(w, extend.Message{State: extend.Queued, Ahead: 1})
		answer(w, extend.Message{State: extend.Running})
		answer(w, extend.Message{State: extend.Running, Step: "resolve packages"})
		answer(w, extend.Message{State: extend.Running, Step: "install", Ended: 1, Steps: 3})
		answer(w, extend.Message{State: extend.Running, Step: "install", Ended: 1, Steps: 3})
		answer(w, extend.Message{State: extend.Running, Step: "install", Ended: 2, Steps: 3})
		answer(w, extend.Message{State: extend.Done, Document: q.DocumentFile()})
		return
	}
	content, ok := s.files[strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/os/"), "extend/")]
	if !ok || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	w.Write(content)
}

func answer(w http.ResponseWriter, m extend.Message) {
	text, _ := json.Marshal(m)
	fmt.Fprintf(w, "%s\n", text)
	w.(http.Flusher).Flush()
}

// newSigner returns a signer with a new key.
func newSigner(t *testing.T) *sign.Signer {
	t.Helper()
	if program, _ := sign.Missing(); program != "" {
		treetest.Skip(t, "needs the program %s", program)
	}
	private, err := sign.Generate(t.Context(), "Test", "never")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.Of(t.Context(), private)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
