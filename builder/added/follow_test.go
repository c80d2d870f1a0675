package added

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// reboot simulates a reboot into deployments: /run is empty, and no image is merged.
func (m *testMachine) reboot(all ...Deployment) {
	m.t.Helper()
	if err := os.RemoveAll(m.at("run")); err != nil {
		m.t.Fatal(err)
	}
	if err := os.RemoveAll(m.at("usr/lib/extension-release.d")); err != nil {
		m.t.Fatal(err)
	}
	treetest.Write(m.t, m.at(bootedFile), "")
	m.deploy(all...)
	m.log()
}

// down is a server that cannot be reached.
func down(w http.ResponseWriter, _ *http.Request) bool {
	http.Error(w, "no", http.StatusBadGateway)
	return true
}

// TestUpgrade: a staged deployment gets its image and boots without a network. The deployment before keeps its image until it is removed.
func TestUpgrade(t *testing.T) {
	signer := newSigner(t)
	s := newServer(t, signer)
	m := newMachine(t, s, signer.Keys)
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	a, b := Deployment{Commit: commitA, Version: "1", Booted: true}, Deployment{Commit: commitB, Version: "2", Pending: true, Staged: true}
	m.deploy(b, a)
	m.log()
	if err := m.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.log(); got != "" {
		t.Errorf("commands %q", got)
	}
	if err := m.Finalize(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.log(); got != "" {
		t.Errorf("commands %q", got)
	}
	s.Close()
	m.reboot(Deployment{Commit: commitB, Booted: true}, Deployment{Commit: commitA, Rollback: true})
	if err := m.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":["jq"]}
run/extensions/added.raw -> /IMAGES/B/added.raw
A: added.json added.json.sig added.origin added.raw of jq
B: added.json added.json.sig added.origin added.raw of jq`)
	if got := m.log(); got != "" {
		t.Errorf("commands %q", got)
	}
	// Packages that are removed stay in the image of the rollback.
	if _, err := m.Remove(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	m.reboot(a, Deployment{Commit: commitB, Rollback: true})
	if err := m.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":[]}
run/extensions/added.raw -> /IMAGES/A/added.raw
A: added.json added.json.sig added.origin added.raw of jq`)
	m.reboot(Deployment{Commit: commitC, Booted: true})
	if err := m.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.wantState(`var/lib/treewright/packages.json: {"version":1,"packages":[]}`)
}

// TestHeldBack: an upgrade without its image waits, with the reason, also over a reboot, and continues after the image arrives.
func TestHeldBack(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	a, b := Deployment{Commit: commitA, Version: "1", Booted: true}, Deployment{Commit: commitB, Version: "2", Pending: true, Staged: true}
	m.deploy(b, a)
	m.log()
	s.fault = down
	const reason = "jq for 2 (commit bbbbbbbbbbbb): server "
	if err := m.Follow(t.Context()); err == nil || !strings.HasPrefix(err.Error(), reason) {
		t.Error(err)
	}
	if got := m.log(); got != "ostree admin lock-finalization\n" {
		t.Errorf("commands %q", got)
	}
	const waits = `
var/lib/treewright/packages.json: {"version":1,"packages":["jq"]}
run/extensions/added.raw -> /IMAGES/A/added.raw
run/treewright/added-hint: the upgrade to 2 waits for its packages; see treewright status
run/treewright/held: B
A: added.json added.origin added.raw of jq`
	m.wantState(waits)
	// A new staging removes the lock.
	m.deploy(b, a)
	if err := m.Finalize(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "the upgrade to 2 (commit bbbbbbbbbbbb) is held back, and the machine starts the system that it runs now: its packages are missing: "+reason) {
		t.Error(err)
	}
	if got := m.log(); got != "ostree admin lock-finalization\n" {
		t.Errorf("commands %q", got)
	}
	m.reboot(a)
	if err := m.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, err := m.Status(t.Context())
	if err != nil || status.HeldBack == nil || status.HeldBack.Commit != commitB || !strings.HasPrefix(status.HeldBack.Reason, reason) {
		t.Errorf("%+v %v", status, err)
	}
	if hint, err := m.Hint(); hint != "an upgrade was held back; see treewright status" || err != nil {
		t.Error(hint, err)
	}

	m.deploy(b, a)
	if err := m.Follow(t.Context()); err == nil {
		t.Error("no error")
	}
	m.log()
	s.fault = nil
	if err := m.Follow(t.Context()); err != nil {
		t.Error(err)
	}
	if got := m.log(); got != "ostree admin lock-finalization --unlock\n" {
		t.Errorf("commands %q", got)
	}
	m.wantState(`
var/lib/treewright/packages.json: {"version":1,"packages":["jq"]}
run/extensions/added.raw -> /IMAGES/A/added.raw
A: added.json added.origin added.raw of jq
B: added.json added.origin added.raw of jq`)
	if h, err := m.heldBack(); h != nil || err != nil {
		t.Error(h, err)
	}
}

// TestLockOfOthers: a lock of the owner is kept.
func TestLockOfOthers(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	m.deploy(Deployment{Commit: commitB, Pending: true, Staged: true, Locked: true}, Deployment{Commit: commitA, Booted: true})
	m.log()
	s.fault = down
	if err := m.Follow(t.Context()); err == nil {
		t.Error("no error")
	}
	s.fault = nil
	if err := m.Follow(t.Context()); err != nil {
		t.Error(err)
	}
	if got := m.log(); got != "" {
		t.Errorf("commands %q", got)
	}
}

// TestLastMinute: an upgrade gets its image during the shutdown if that begins at once.
func TestLastMinute(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	staged := Deployment{Commit: commitB, Pending: true, Staged: true}
	m.deploy(staged, Deployment{Commit: commitA, Booted: true})
	m.log()
	if err := m.Finalize(t.Context()); err != nil {
		t.Error(err)
	}
	if got := m.log(); got != "" {
		t.Errorf("commands %q", got)
	}
	if _, err := m.good(t.Context(), staged); err != nil {
		t.Error(err)
	}
	// A server that does not answer does not keep the machine from shutting down.
	m.deploy(Deployment{Commit: commitC, Pending: true, Staged: true}, Deployment{Commit: commitA, Booted: true})
	hangs := make(chan struct{})
	s.fault = func(http.ResponseWriter, *http.Request) bool { <-hangs; return true }
	defer close(hangs)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(enough) })
	if err := m.Finalize(ctx); !errors.Is(err, enough) {
		t.Error(err)
	}
	if got := m.log(); got != "ostree admin lock-finalization\n" {
		t.Errorf("commands %q", got)
	}
}

// TestBadAtBoot: a damaged image is not merged; it is fetched again when the network is up.
func TestBadAtBoot(t *testing.T) {
	signer := newSigner(t)
	for name, c := range map[string]struct {
		spoil func(m *testMachine)
		want  string
	}{
		"a flipped byte": {func(m *testMachine) {
			file := m.at(imagesDir, commitA, imageFile)
			content := []byte(treetest.Content(t, file))
			content[0] ^= 1
			treetest.Write(t, file, string(content))
		}, "the image has the SHA-256"},
		"no image":     {func(m *testMachine) { os.Remove(m.at(imagesDir, commitA, imageFile)) }, "no such file"},
		"no signature": {func(m *testMachine) { os.Remove(m.at(imagesDir, commitA, signatureFile)) }, "is not signed"},
		"nothing":      {func(m *testMachine) { os.RemoveAll(m.at(imagesDir, commitA)) }, "there is no image for it on this machine"},
		"a half-made one": {func(m *testMachine) {
			if err := os.Rename(m.at(imagesDir, commitA), m.at(imagesDir, newPrefix+"x")); err != nil {
				t.Fatal(err)
			}
		}, "there is no image for it on this machine"},
		"another document": {func(m *testMachine) { treetest.Write(t, m.at(imagesDir, commitA, documentFile), "{}") }, "the list of the image has version 0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, signer)
			m := newMachine(t, s, signer.Keys)
			if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
				t.Fatal(err)
			}
			good := m.state()
			c.spoil(m)
			m.reboot(Deployment{Commit: commitA, Version: "1", Booted: true})
			err := m.Boot(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "packages of 1 (commit aaaaaaaaaaaa) are not merged: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if got := m.log(); got != "systemctl start --no-block treewright-added-follow.service\n" || m.linked() != "" {
				t.Errorf("commands %q, linked %q", got, m.linked())
			}
			if hint, err := m.Hint(); hint != "packages are missing: jq; see treewright status" || err != nil {
				t.Error(hint, err)
			}
			status, err := m.Status(t.Context())
			if err != nil || status.Merged || !strings.Contains(status.Deployments[0].Problem, c.want) {
				t.Errorf("%+v %v", status, err)
			}
			if err := m.Follow(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := m.log(); got != "systemd-sysext --always-refresh=yes refresh\n" {
				t.Errorf("commands %q", got)
			}
			m.wantState(good)
		})
	}
}

// TestNotInTime: a machine whose clock is slow at boot, so that signatures are not valid yet, merges the image that it has later, and asks no server.
func TestNotInTime(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	if _, err := m.Add(t.Context(), []string{"jq"}, ""); err != nil {
		t.Fatal(err)
	}
	m.reboot(Deployment{Commit: commitA, Booted: true})
	s.Close()
	if err := m.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := m.log(); got != "systemd-sysext --always-refresh=yes refresh\n" {
		t.Errorf("commands %q", got)
	}
}

// TestWithoutServer: the error describes the configuration that does not lead to a server.
func TestWithoutServer(t *testing.T) {
	s := newServer(t, nil)
	for name, c := range map[string]struct{ config, settings, want string }{
		"no remote":      {"[core]\n", "", `this machine has no remote "main"`},
		"a local remote": {"[remote \"main\"]\nurl=file:///srv/repo\ngpg-verify=false\n", "", "this machine knows no server that has images"},
		"settings":       {"[remote \"main\"]\nurl=file:///srv/repo\ngpg-verify=false\n", `{"server": "` + s.URL + `/os/"}`, ""},
		"bad settings":   {"[remote \"main\"]\nurl=file:///srv/repo\ngpg-verify=false\n", `{"servers": "x"}`, `unknown field "servers"`},
		"a bad server":   {"[remote \"main\"]\nurl=file:///srv/repo\ngpg-verify=false\n", `{"server": "ftp://x"}`, `the server "ftp://x" in the settings is not an http or https URL`},
		"default trust":  {"[remote \"main\"]\nurl=" + s.URL + "/os/repo\n", "", "is not signed, and the remote main asks for signatures"},
	} {
		m := newMachine(t, s, nil)
		treetest.Write(t, m.at(systemRepo, "config"), c.config)
		if c.settings != "" {
			treetest.Write(t, m.at(settingsFiles[0]), c.settings)
		}
		_, err := m.Add(t.Context(), []string{"jq"}, "")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// TestKeys: images are checked by the keys that libostree uses for a remote.
func TestKeys(t *testing.T) {
	m := newMachine(t, newServer(t, nil), nil)
	treetest.Write(t, m.at(remotesDir, "more.conf"), "[remote \"more\"]\nurl=https://example.org/os/repo/\ngpgkeypath=/etc/keys.gpg;/etc/keys.d\n")
	treetest.Write(t, m.at("usr/share/ostree/trusted.gpg.d/README-gpg"), "no key")
	treetest.Write(t, m.at("usr/share/ostree/trusted.gpg.d/a.gpg"), "system")
	keys := func() string {
		r, err := m.remote("more")
		if err != nil || !r.verify {
			t.Fatal(r, err)
		}
		if base, err := m.base(r); base != "https://example.org/os" || err != nil {
			t.Error(base, err)
		}
		all, err := m.keys(r)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, k := range all {
			text += string(k) + " "
		}
		return text
	}
	if got := keys(); got != "system " {
		t.Errorf("keys %q", got)
	}
	treetest.Write(t, m.at(systemRepo, "more.trustedkeys.gpg"), "imported")
	treetest.Write(t, m.at("etc/keys.gpg"), "file")
	treetest.Write(t, m.at("etc/keys.d/b.asc"), "directory")
	if got := keys(); got != "imported file directory " {
		t.Errorf("keys %q", got)
	}
}

// TestDamagedList: a damaged list is not mistaken for an empty list.
func TestDamagedList(t *testing.T) {
	s := newServer(t, nil)
	m := newMachine(t, s, nil)
	for _, text := range []string{"", "{", `{"version":2,"packages":[]}`, `{"version":1,"packages":["../x"]}`} {
		treetest.Write(t, m.at(wantedFile), text)
		if _, err := m.Add(t.Context(), []string{"jq"}, ""); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	if s.posts != 0 {
		t.Error("the server was asked")
	}
}
