package added

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/treetest"
)

// makes lets a machine make images: the images that the server would publish, without its signature.
func (m *testMachine) makes(s *testServer) *int {
	made := 0
	m.Extend = func(_ context.Context, q build.HereRequest) (*build.Extended, error) {
		made++
		if q.Repo != m.at(repository) || len(namesIn(m.t, q.Scratch)) != 0 {
			m.t.Errorf("asked with %+v", q)
		}
		d := s.publish(requestOf(q))
		out := &build.Extended{Document: d, Dir: filepath.Join(q.Scratch, "out"), Image: filepath.Join(q.Scratch, "out/image")}
		treetest.Write(m.t, filepath.Join(out.Dir, requestOf(q).DocumentFile()), string(s.files[requestOf(q).DocumentFile()]))
		treetest.Write(m.t, out.Image, string(s.files[d.ImageFile()]))
		clear(s.files)
		return out, nil
	}
	return &made
}

// TestLocal: a machine makes an image itself on request, and then also for its upgrades when the server cannot. Such an image does not have
// a signature, and no temporary files stay.
func TestLocal(t *testing.T) {
	signer := newSigner(t)
	s := newServer(t, signer)
	m := newMachine(t, s, signer.Keys)
	made := m.makes(newServer(t, nil))
	m.Local = true
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	if *made != 1 || s.posts != 0 {
		t.Errorf("made %d times, and the server was asked %d times", *made, s.posts)
	}
	m.wantNoScratch()
	m.Local = false
	if err := m.Boot(t.Context()); err != nil {
		t.Errorf("the image is not merged at the next boot: %v", err)
	}
	s.Close()
	m.deploy(Deployment{Commit: commitB, Version: "2", Staged: true}, Deployment{Commit: commitA, Version: "1", Booted: true})
	if err := m.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i, err := m.image(commitB); err != nil || i.origin.Kind != madeHere || *made != 2 {
		t.Errorf("the image of the upgrade is %+v, %v, made %d times", i, err, *made)
	}
}

// TestLocalInsteadOfRefusal: a machine that has made its image itself upgrades although the server does not allow the packages.
func TestLocalInsteadOfRefusal(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	made := m.makes(newServer(t, nil))
	m.Local = true
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	m.Local = false
	s.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
			answer(w, extend.Message{State: extend.Failed, Failure: &extend.Failure{Reason: extend.NotAllowed, Text: "jq is not allowed"}})
		}
		return r.Method == http.MethodPost
	}
	m.deploy(Deployment{Commit: commitB, Version: "2", Staged: true}, Deployment{Commit: commitA, Version: "1", Booted: true})
	if err := m.Follow(t.Context()); err != nil || *made != 2 {
		t.Errorf("made %d times, error %v", *made, err)
	}
	// If both fail, the error has both reasons.
	m.Extend = func(context.Context, build.HereRequest) (*build.Extended, error) {
		return nil, errors.New("no space for it")
	}
	_, err := m.Add(t.Context(), []string{"web"}, "")
	var failed *extend.Failure
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "jq is not allowed\nthis machine with packages of the sources in /etc/apt: no space for it; nothing is changed") {
		t.Error(err)
	}
}

// A machine whose images come from a server does not make any by itself.
func TestLocalIsAskedFor(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	made := m.makes(newServer(t, nil))
	s.Close()
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err == nil || *made != 0 {
		t.Errorf("got %v, made %d times", err, *made)
	}
}

// TestLocalFails: if an image cannot be made, the machine is unchanged, and no temporary files stay.
func TestLocalFails(t *testing.T) {
	m := newMachine(t, newServer(t, nil), nil)
	m.Local = true
	m.Extend = func(_ context.Context, q build.HereRequest) (*build.Extended, error) {
		treetest.Write(t, filepath.Join(q.Scratch, "cache/half"), "x")
		for i := range 30 {
			q.Sink.Emit(event.Event{Kind: event.StepOutput, Step: "install", Line: fmt.Sprint("line ", i)})
			q.Sink.Emit(event.Event{Kind: event.StepOutput, Step: "other", Line: "other"})
		}
		q.Sink.Emit(event.Event{Kind: event.StepFailed, Step: "install"})
		return nil, errors.New("jq cannot be added")
	}
	treetest.Write(t, m.at("var/tmp", scratchPrefix+"1/old"), "from a power cut")
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err == nil || !strings.Contains(err.Error(), "jq cannot be added") {
		t.Error(err)
	}
	if said := strings.Join(m.said, "\n"); !strings.Contains(said, "  line 10\n  line 11\n") || !strings.HasSuffix(said, "\n  line 29") || strings.Contains(said, "line 9\n") || strings.Contains(said, "other") {
		t.Errorf("said\n%s", said)
	}
	m.wantState("")
	m.wantNoScratch()
}

// wantNoScratch fails if temporary files of making an image exist.
func (m *testMachine) wantNoScratch() {
	m.t.Helper()
	entries, err := os.ReadDir(m.at("var/tmp"))
	if err != nil || len(entries) != 0 {
		m.t.Errorf("/var/tmp has %v, %v", entries, err)
	}
}

// requestOf returns the request of a machine to itself.
func requestOf(q build.HereRequest) extend.Request {
	return extend.Request{Commit: q.Commit, Packages: q.Packages}
}
