package added

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/treetest"
)

// TestUpdate: a machine gets the image that the server makes again, for both commits, and starts the services of the packages again.
func TestUpdate(t *testing.T) {
	signer := newSigner(t)
	s := newServer(t, signer)
	m := newMachine(t, s, signer.Keys)
	s.units["web"] = "unit added-setup@1.service\nunit web.service\n"
	treetest.Write(t, m.at(unitsDir, "multi-user.target.upholds/added-setup@1.service"), "")
	if u, err := m.Update(t.Context(), ""); err != nil || u.Document != nil || s.posts != 0 {
		t.Errorf("without packages: %+v, %v", u, err)
	}
	if _, err := m.Add(t.Context(), []string{"web"}, ""); err != nil {
		t.Fatal(err)
	}
	m.deploy(Deployment{Commit: commitB, Version: "2", Staged: true}, Deployment{Commit: commitA, Version: "1", Booted: true})
	if err := m.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.log()
	before := m.state()
	u, err := m.Update(t.Context(), "")
	if err != nil || len(u.Versions) > 0 || s.posts != 4 {
		t.Errorf("the same versions: %+v, %v, asked %d times", u, err, s.posts)
	}
	if log := m.log(); log != "" || m.state() != before {
		t.Errorf("what was the same was changed:\n%s", log)
	}

	s.versions = "2-1"
	s.units["web"] += "new\n"
	if u, err = m.Update(t.Context(), ""); err != nil || !slices.Equal(u.Versions, []string{"web 2-1, before 1-1", "libweb 2-1, before 1-1"}) {
		t.Fatalf("%+v, %v", u, err)
	}
	if log := m.log(); !strings.Contains(log, "systemd-sysext --always-refresh=yes refresh\n") || !strings.HasSuffix(log, "systemctl try-restart web.service\nsystemctl try-restart broken.service\n") {
		t.Errorf("it ran\n%s", log)
	}
	for _, commit := range []string{commitA, commitB} {
		if i, err := m.image(commit); err != nil || i.document.Added[0].Version != "2-1" {
			t.Errorf("%.1s has %+v, %v", commit, i, err)
		}
	}

	// A server that only has files has a newer image, another one does not answer, and one gives a damaged image.
	s.versions = "3-1"
	s.units["web"] += "newer\n"
	for _, commit := range []string{commitA, commitB} {
		s.publish(extend.Request{Commit: commit, Packages: []string{"web"}})
	}
	s.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			http.Error(w, "files only", http.StatusMethodNotAllowed)
		}
		return r.Method == http.MethodPost
	}
	if u, err = m.Update(t.Context(), ""); err != nil || u.Versions[0] != "web 3-1, before 2-1" {
		t.Errorf("of a server with files: %+v, %v", u, err)
	}
	if said := strings.Join(m.said, "\n"); !strings.Contains(said, "the server makes no images when it is asked; the image that it has now is used") {
		t.Errorf("said\n%s", said)
	}
	// A package that the server does not allow (any more).
	s.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
			answer(w, extend.Message{State: extend.Failed, Failure: &extend.Failure{Reason: extend.NotAllowed, Text: "web is not allowed"}})
		}
		return r.Method == http.MethodPost
	}
	if u, err = m.Update(t.Context(), ""); err != nil || len(u.Versions) > 0 || !strings.Contains(strings.Join(m.said, "\n"), "web is not allowed; the image that it has now is used") {
		t.Errorf("of a server that does not allow it: %+v, %v, said\n%s", u, err, strings.Join(m.said, "\n"))
	}
	before = m.state()
	s.versions = "4-1"
	s.units["web"] += "newest\n"
	d := s.publish(extend.Request{Commit: commitA, Packages: []string{"web"}})
	s.files[d.ImageFile()] = append([]byte("x"), s.files[d.ImageFile()][1:]...)
	var untrusted *Untrusted
	if _, err = m.Update(t.Context(), ""); !errors.As(err, &untrusted) || m.state() != before {
		t.Errorf("error %v, and the machine has\n%s", err, m.state())
	}
	s.Close()
	if _, err = m.Update(t.Context(), ""); err == nil || !strings.HasSuffix(err.Error(), "; nothing is changed") || m.state() != before {
		t.Errorf("error %v, and the machine has\n%s", err, m.state())
	}
}

// TestDifferences: packages can be new and gone.
func TestDifferences(t *testing.T) {
	of := func(list ...string) (all []distro.Package) {
		for _, text := range list {
			name, version, _ := strings.Cut(text, " ")
			all = append(all, distro.Package{Name: name, Version: version})
		}
		return all
	}
	got := differences(of("a 1", "b 1", "c 1"), of("a 1", "c 2", "d 1"))
	if want := []string{"c 2, before 1", "d 1, new", "b 1, removed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
