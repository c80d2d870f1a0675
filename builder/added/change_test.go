package added

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/treetest"
)

// TestAddAndRemove adds packages one after the other, with images that the server makes, and removes them again.
func TestAddAndRemove(t *testing.T) {
	signer := newSigner(t)
	s := newServer(t, signer)
	s.units["web"] = "unit web.service\nunit alias.service\nunit multi-user.target.upholds/added-setup@1.service\n"
	m := newMachine(t, s, signer.Keys)
	c, err := m.Add(t.Context(), []string{"jq"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Document.Added) != 2 || c.Document.Added[1].Name != "libjq" || c.Problems != nil {
		t.Errorf("%+v", c)
	}
	if want := []string{
		"the server is busy: 2 requests come first", "the server is busy: 1 request comes first", "the server makes the image: resolve packages",
		"the server makes the image: install (2 of 3)", "0.0 MB of jq, from server " + s.URL + "/os/extend",
	}; len(m.said) < len(want) || !slices.Equal(m.said[:len(want)], want) {
		t.Errorf("%q was said, not %q", m.said, want)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":["jq"]}
run/extensions/added.raw -> /IMAGES/A/added.raw
A: added.json added.json.sig added.origin added.raw of jq`)
	if got, want := m.log(), "systemd-sysext --always-refresh=yes refresh\n"; got != want {
		t.Errorf("commands %q, want %q", got, want)
	}

	if c, err = m.Add(t.Context(), []string{"web", "jq"}, ""); err != nil {
		t.Fatal(err)
	}
	if want := []string{"broken.service did not start: see journalctl --unit broken.service"}; !slices.Equal(c.Problems, want) {
		t.Errorf("problems %q, want %q", c.Problems, want)
	}
	if got, want := m.log(), "systemd-sysext --always-refresh=yes refresh\nsystemctl start added-setup@1.service\nsystemctl start web.service\nsystemctl start broken.service\n"; got != want {
		t.Errorf("commands %q, want %q", got, want)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":["jq","web"]}
run/extensions/added.raw -> /IMAGES/A/added.raw
A: added.json added.json.sig added.origin added.raw of jq web`)

	for name, want := range map[string]string{
		"libjq": "libjq was not added by its name: it is a dependency of an added package (jq, web)",
		"jqq":   "jqq was not added; these were: jq, web",
	} {
		var request *diag.Request
		if _, err := m.Remove(t.Context(), []string{"jq", name}, ""); !errors.As(err, &request) || err.Error() != want {
			t.Errorf("remove %s: %v", name, err)
		}
	}
	// The server already has the image without it.
	posts := s.posts
	if c, err = m.Remove(t.Context(), []string{"web", "web"}, ""); err != nil || c.Problems != nil {
		t.Fatal(c, err)
	}
	if got, want := m.log(), "systemd-sysext --always-refresh=yes refresh\nsystemctl daemon-reload\nsystemctl stop alias.service web.service\nsystemctl stop alias.service\nsystemctl stop web.service\n"; got != want || s.posts != posts {
		t.Errorf("commands %q, want %q; %d posts", got, want, s.posts-posts)
	}
	// The removal of the last package does not need a server.
	s.Close()
	if c, err = m.Remove(t.Context(), []string{"jq"}, ""); err != nil || c.Document != nil {
		t.Fatal(c, err)
	}
	m.wantState(`var/lib/treewright/packages.json: {"version":1,"packages":[]}`)
	if _, err := m.Remove(t.Context(), []string{"jq"}, ""); err == nil || err.Error() != "jq was not added: no package was" {
		t.Error(err)
	}
}

// TestNothingChanges: any fault of an image or of its transfer leaves the machine unchanged.
func TestNothingChanges(t *testing.T) {
	signer, other := newSigner(t), newSigner(t)
	asked := extend.Request{Commit: commitA, Packages: []string{"jq", "web"}}
	answers := func(failure *extend.Failure) func(*testServer, *testMachine) {
		return func(s *testServer, _ *testMachine) {
			s.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					answer(w, extend.Message{State: extend.Failed, Failure: failure})
				}
				return r.Method == http.MethodPost
			}
		}
	}
	for name, c := range map[string]struct {
		spoil func(s *testServer, m *testMachine)
		want  string
	}{
		"a flipped byte": {func(s *testServer, _ *testMachine) { s.files[s.publish(asked).ImageFile()][3] ^= 1 }, "has the SHA-256"},
		"a short image": {func(s *testServer, _ *testMachine) {
			file := s.publish(asked).ImageFile()
			s.files[file] = s.files[file][1:]
		}, "is shorter than the"},
		"a long image": {func(s *testServer, _ *testMachine) {
			file := s.publish(asked).ImageFile()
			s.files[file] = append(s.files[file], 'x')
		}, "is longer than the"},
		"no image": {func(s *testServer, _ *testMachine) { delete(s.files, s.publish(asked).ImageFile()) }, "the image of its list does not exist there"},
		"another document": {func(s *testServer, _ *testMachine) {
			s.publish(asked)
			other := s.publish(extend.Request{Commit: commitB, Packages: asked.Packages})
			s.files[asked.DocumentFile()], s.files[asked.SignatureFile()] = s.files[other.DocumentFile()], s.files[other.SignatureFile()]
		}, "the image is for commit bbbbbbbbbbbb"},
		"another key":  {func(s *testServer, _ *testMachine) { s.signer = other }, "the signature of the list of the image does not count: "},
		"no signature": {func(s *testServer, _ *testMachine) { s.signer = nil }, "is not signed, and the remote main asks for signatures"},
		"a signature of an old document": {func(s *testServer, _ *testMachine) {
			s.publish(asked)
			s.files[asked.DocumentFile()] = append(s.files[asked.DocumentFile()], '\n')
		}, "the signature of the list of the image does not count: "},
		"garbage as a signature": {func(s *testServer, _ *testMachine) {
			s.publish(asked)
			s.files[asked.SignatureFile()] = []byte("hello")
		}, "the signature of the list of the image does not count: "},
		"no keys":       {func(_ *testServer, m *testMachine) { os.RemoveAll(m.at("usr/share/ostree")) }, "there are no public keys"},
		"a full disk":   {func(_ *testServer, m *testMachine) { m.Free = func(string) (int64, error) { return 1 << 20, nil } }, "the image needs 33.6 MB in "},
		"a file server": {func(s *testServer, _ *testMachine) { s.fault = onPost(http.StatusMethodNotAllowed) }, "it makes none when it is asked"},
		"an answer without end": {func(s *testServer, _ *testMachine) {
			s.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					answer(w, extend.Message{State: extend.Running, Step: "install"})
				}
				return r.Method == http.MethodPost
			}
		}, "the answer has no end (tried 4 times)"},
		"broken connections": {func(s *testServer, _ *testMachine) {
			s.publish(asked)
			s.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, ".raw") {
					w.Header().Set("Content-Length", "100")
					w.Write([]byte("half"))
				}
				return strings.HasSuffix(r.URL.Path, ".raw")
			}
		}, "unexpected EOF (tried 4 times)"},
		"a server of errors": {func(s *testServer, _ *testMachine) {
			s.fault = func(w http.ResponseWriter, _ *http.Request) bool {
				http.Error(w, "no", http.StatusBadGateway)
				return true
			}
		}, "502 Bad Gateway (tried 4 times)"},
		"an unknown package": {answers(&extend.Failure{Reason: extend.UnknownPackage, Text: "there is no package web"}), "there is no package web"},
		"a busy server":      {answers(&extend.Failure{Reason: extend.Busy, Text: "40 requests wait"}), "40 requests wait (tried 4 times)"},
		"no merge":           {func(_ *testServer, m *testMachine) { treetest.Write(t, m.at("sysext-fails"), "") }, "merge: systemd-sysext: exit status 1\nno space"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, signer)
			m := newMachine(t, s, signer.Keys)
			if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
				t.Fatal(err)
			}
			before := m.state()
			c.spoil(s, m)
			_, err := m.Add(t.Context(), []string{"web"}, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			m.wantState(before)
			if i, err := m.image(commitA); err != nil || i.intact() != nil {
				t.Errorf("the image that was there is not intact: %v", err)
			}
		})
	}
}

// onPost is a server's answer to each POST.
func onPost(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			http.Error(w, "no", code)
		}
		return r.Method == http.MethodPost
	}
}

// TestTriedAgain: temporary failures of the server are tried again, and the image is then merged.
func TestTriedAgain(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	faults := 0
	s.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || faults == 3 {
			return false
		}
		switch faults++; faults {
		case 1:
			http.Error(w, "no", http.StatusServiceUnavailable)
		case 2:
			answer(w, extend.Message{State: extend.Running, Step: "install"})
		case 3:
			answer(w, extend.Message{State: extend.Failed, Failure: &extend.Failure{Reason: extend.Busy, Text: "busy"}})
		}
		return true
	}
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":["jq"]}
run/extensions/added.raw -> /IMAGES/A/added.raw
A: added.json added.origin added.raw of jq`)
}

// TestStagedToo: packages are added to both the booted and the next deployment, or to neither.
func TestStagedToo(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	m.deploy(Deployment{Commit: commitB, Version: "2", Pending: true, Staged: true}, Deployment{Commit: commitA, Booted: true}, Deployment{Commit: commitC, Rollback: true})
	unfit := true
	s.fault = func(w http.ResponseWriter, r *http.Request) bool {
		fails := r.Method == http.MethodPost && unfit && s.posts == 1
		if fails {
			answer(w, extend.Message{State: extend.Failed, Failure: &extend.Failure{Reason: extend.Unfit, Text: "jq needs a newer libc6"}})
		}
		return fails
	}
	var failed *extend.Failure
	_, err := m.Add(t.Context(), []string{"jq"}, "")
	if !errors.As(err, &failed) || err.Error() != "jq for 2 (commit bbbbbbbbbbbb): jq needs a newer libc6; nothing is changed" {
		t.Error(err)
	}
	m.wantState("")
	unfit = false
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":["jq"]}
run/extensions/added.raw -> /IMAGES/A/added.raw
A: added.json added.origin added.raw of jq
B: added.json added.origin added.raw of jq`)
}

// TestBundle: a directory has the files of a server. No server is asked.
func TestBundle(t *testing.T) {
	signer := newSigner(t)
	s := newServer(t, signer)
	m := newMachine(t, s, signer.Keys)
	dir := t.TempDir()
	q := extend.Request{Commit: commitA, Packages: []string{"jq"}}
	packed, err := m.Pack(t.Context(), q, s.URL+"/os", dir, true)
	if err != nil {
		t.Fatal(err)
	}
	d := packed.Document
	want := []string{d.Commit, q.DocumentFile(), q.SignatureFile(), d.ImageFile()}
	slices.Sort(want)
	if got := namesIn(t, dir); !slices.Equal(got, want) {
		t.Errorf("the bundle has %q, want %q", got, want)
	}
	s.Close()
	if _, err := m.Add(t.Context(), []string{"jq"}, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Add(t.Context(), []string{"web"}, dir); err == nil || !strings.HasSuffix(err.Error(), "bundle "+dir+": it does not have the image; nothing is changed") {
		t.Error(err)
	}
	if _, err := m.Add(t.Context(), []string{"web"}, dir+"/none"); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
		t.Error(err)
	}
	treetest.Write(t, m.at("signer"), "")
	status, err := m.Status(t.Context())
	if err != nil || status.Deployments[0].Image.From != (Origin{"bundle", dir}) {
		t.Errorf("%+v %v", status, err)
	}
}

// namesIn returns the names of all entries of a directory.
func namesIn(t *testing.T, dir string) (names []string) {
	for _, line := range treetest.Listing(t, dir)[1:] {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	return names
}

// TestElsewhere: a machine that does not run a commit is not changed.
func TestElsewhere(t *testing.T) {
	m := newMachine(t, newServer(t, nil), nil)
	os.Remove(m.at(bootedFile))
	_, add := m.Add(t.Context(), []string{"jq"}, "")
	_, status := m.Status(t.Context())
	for _, err := range []error{add, status, m.Boot(t.Context()), m.Follow(context.Background())} {
		if !errors.Is(err, ErrNoDeployment) {
			t.Error(err)
		}
	}
	if hint, err := m.Hint(); hint != "" || err != nil {
		t.Error(hint, err)
	}
	if _, err := m.Add(t.Context(), []string{"Jq"}, ""); err == nil || !strings.HasPrefix(err.Error(), `"Jq" is not the name of a package`) {
		t.Error(err)
	}
}
