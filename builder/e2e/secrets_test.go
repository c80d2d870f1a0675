//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// secretsTest builds an example with two secrets: the password of its archive, and
// what a feature's script is lent.
type secretsTest struct {
	*example
	mirror *debtest.Mirror
	auth   string // the file with the password
	began  time.Time
	said   strings.Builder // all that the commands printed
}

const archivePassword, firstToken, secondToken = `pass/word+of"archive`, "first/token&of+vpn?27", "second/token&of+vpn?28"

// privateFlavour is the example's flavour with a feature that is lent a secret.
const privateFlavour = `flavour "private" {
  extends      = "vendor"
  add_features = ["vpn"]
  set "vpn" {
    token = "vpn_token"
  }
}
`

// registers uses its secret, and prints it in forms that have to be masked.
const registers = `#!/bin/sh
set -eu
sha256sum < "$PARAM_TOKEN" > /usr/share/vpn.id
echo "plain $(cat "$PARAM_TOKEN"), coded $(base64 -w0 "$PARAM_TOKEN")" >&2
`

// registration is the step that runs it.
const registration = "rootfs/exec.config/vpn"

func newSecrets(e *example, mirror *debtest.Mirror) *secretsTest {
	s := &secretsTest{example: e, mirror: mirror, began: time.Now()}
	mirror.User, mirror.Password = "customer", archivePassword
	s.auth = s.file("auth", "machine "+mirror.URL+" login customer password "+archivePassword+"\n")
	return s
}

// file writes a file that only its owner can read, out of the tree.
func (s *secretsTest) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// command runs the program, and keeps what it prints.
func (s *secretsTest) command(args ...string) (out, errs string, code int) {
	s.t.Helper()
	out, errs, code = s.try(append([]string{"--var", "archive=" + s.mirror.URL}, args...)...)
	s.said.WriteString(out + errs)
	return out, errs, code
}

// run is command with the password, for what has to succeed.
func (s *secretsTest) run(args ...string) (out, errs string) {
	s.t.Helper()
	out, errs, code := s.command(append([]string{"--secret", "auth=" + s.auth}, args...)...)
	if code != 0 {
		s.t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
	}
	return out, errs
}

// refused expects a command to fail and to say some words.
func (s *secretsTest) refused(code int, words []string, args ...string) (errs string) {
	s.t.Helper()
	out, errs, got := s.command(args...)
	for _, want := range words {
		if got != code || !strings.Contains(strings.Join(strings.Fields(out+errs), " "), want) {
			s.t.Errorf("%v: exit %d, want %d and %q:\n%s%s", args, got, code, want, out, errs)
		}
	}
	return out + errs
}

// askedFor: without the password the archive is named, with its line and what to do.
func (s *secretsTest) askedFor() {
	s.t.Helper()
	s.refused(1, []string{s.mirror.URL, "flavours/vendor.hcl", "--secret auth=FILE"}, "vendor")
}

// onMachine: the machine's apt knows the archive and its key, and not the password.
func (s *secretsTest) onMachine(m *machine, key []byte) {
	s.t.Helper()
	sources := m.run("cat", "/etc/apt/sources.list.d/vendor.sources")
	for _, line := range []string{"URIs: " + s.mirror.URL, "Suites: stable", "Signed-By: /etc/apt/keyrings/vendor.asc"} {
		if !slices.Contains(strings.Split(sources, "\n"), line) {
			s.t.Errorf("the machine's apt is not told %q:\n%s", line, sources)
		}
	}
	if got := m.run("cat", "/etc/apt/keyrings/vendor.asc"); strings.TrimSpace(got) != strings.TrimSpace(string(key)) {
		s.t.Errorf("the machine has the keys\n%s", got)
	}
	if found, err := m.try("grep", "-rlE", "customer|pass/word", "/etc/apt"); err == nil {
		s.t.Errorf("the machine's apt has the password in %s", found)
	}
}

// states are those of the steps that a plan has.
func (s *secretsTest) states(args ...string) map[string]string {
	s.t.Helper()
	out, _ := s.run(append([]string{"plan", "--format", "json", "private"}, args...)...)
	var plan struct {
		Steps []struct{ ID, State string }
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	states := map[string]string{}
	for _, step := range plan.Steps {
		states[step.ID] = step.State
	}
	return states
}

// lent builds a flavour whose script is lent a secret.
func (s *secretsTest) lent() {
	s.t.Helper()
	script := filepath.Join(s.dir, "features/vpn/exec.config")
	for path, content := range map[string]string{
		script: registers, filepath.Join(s.dir, "flavours/private.hcl"): privateFlavour,
		filepath.Join(s.dir, "features/vpn/info.yaml"): "type: element\nparameters:\n  token: {secret: true, required: true}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	s.refused(3, []string{"flavours/private.hcl line 5", "--secret vpn_token=FILE"}, "private", "--secret", "auth="+s.auth)
	first, second := s.file("first", firstToken+"\n"), s.file("second", secondToken+"\n")
	before := s.states("--secret", "vpn_token="+first)
	if before[registration] != "to run" || before["rootfs/install-system"] != "cached" {
		s.t.Errorf("planned: %v", before)
	}
	s.run("private", "--secret", "vpn_token="+first)
	sum := sha256.Sum256([]byte(firstToken + "\n"))
	if got := s.machine("private", "vendor-repo-amd64").run("cat", "/usr/share/vpn.id"); got != hex.EncodeToString(sum[:])+"  -" {
		s.t.Errorf("the script has made %q of its secret", got)
	}

	// The same secret runs nothing; another one runs the script and what is made after it.
	for id, state := range s.states("--secret", "vpn_token="+s.file("elsewhere", firstToken+"\n")) {
		if state == "to run" {
			s.t.Errorf("with the same secret, %s runs", id)
		}
	}
	var again []string
	// Without the first commit: the second one of a history keeps accounts, which is a
	// change of its own.
	for id, state := range s.states("--output", s.t.TempDir(), "--secret", "vpn_token="+second) {
		if state == "to run" {
			again = append(again, id)
		}
	}
	slices.Sort(again)
	if want := []string{"commit/accounts", "commit/archive", "commit/bill", "commit/commit", "commit/initramfs", "commit/tree", "commit/unnamed", registration, "rootfs/identity"}; !slices.Equal(again, want) {
		s.t.Errorf("with another secret, %v run, not %v", again, want)
	}

	leaking := registers + `base64 -w0 "$PARAM_TOKEN" > /usr/share/vpn.cache` + "\n"
	if err := os.WriteFile(script, []byte(leaking), 0o755); err != nil {
		s.t.Fatal(err)
	}
	told := s.refused(1, []string{registration, "the secret vpn_token is in /usr/share/vpn.cache, and everyone who gets the system could read it there"},
		"private", "--secret", "auth="+s.auth, "--secret", "vpn_token="+second)
	if !strings.Contains(told, "plain ***, coded ***") {
		s.t.Errorf("the log is not shown masked:\n%s", told)
	}
}

// kept: nothing that the builds have written or printed has one of the secrets. What the
// repository and its tarball have is in layers as well, where it is not compressed.
func (s *secretsTest) kept() {
	s.t.Helper()
	began, looked, seen, find := time.Now(), 0, map[uint64]bool{}, newFinder(archivePassword, firstToken, secondToken)
	look := func(where string, content []byte) {
		looked++
		if what := find.in(content); what != "" {
			s.t.Errorf("%s has %s", where, what)
		}
	}
	for _, form := range find.forms {
		if find.in(append([]byte("before "), form...)) == "" {
			s.t.Errorf("%q is not found", form)
		}
	}
	look("the output", []byte(s.said.String()))
	for _, dir := range []string{filepath.Join(s.dir, ".build"), sharedCache} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			// Files in layers have times of their own, and their inodes have not.
			st := info.Sys().(*syscall.Stat_t)
			if time.Unix(st.Ctim.Unix()).Before(s.began) {
				return nil
			}
			look("the name of "+path, []byte(d.Name()))
			switch {
			case d.Type()&fs.ModeSymlink != 0:
				target, err := os.Readlink(path)
				look("the link "+path, []byte(target))
				return err
			case !d.Type().IsRegular() || seen[st.Ino] || strings.HasSuffix(path, ".deb"): // packages are as they were signed
				return nil
			}
			seen[st.Ino] = true
			content, err := os.ReadFile(path)
			look(path, content)
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if looked < 20000 {
		s.t.Errorf("looked at %d names and files only", looked)
	}
	s.t.Logf("looked at %d names and files in %s", looked, time.Since(began).Round(100*time.Millisecond))
}

// finder finds some texts, as they are and encoded, in one pass.
type finder struct {
	begins [1 << 16]bool // the first two bytes of all forms
	forms  map[string][]byte
}

func newFinder(texts ...string) *finder {
	f := &finder{forms: map[string][]byte{}}
	for _, text := range texts {
		f.forms[text] = []byte(text)
		f.forms["in a query "+text] = []byte(url.QueryEscape(text))
		f.forms["in a path "+text] = []byte(url.PathEscape(text))
		f.forms["hexadecimal "+text] = []byte(hex.EncodeToString([]byte(text)))
		for _, before := range []string{"", "x", "xx"} { // wherever it begins in what is encoded
			coded := base64.RawStdEncoding.EncodeToString([]byte(before + text))
			f.forms["base64 of "+before+text] = []byte(coded[4 : len(coded)-4])
		}
	}
	for _, form := range f.forms {
		f.begins[binary.BigEndian.Uint16(form)] = true
	}
	return f
}

// in names what a content has of the texts, "" if nothing.
func (f *finder) in(content []byte) string {
	for i := 0; i+1 < len(content); i++ {
		if !f.begins[binary.BigEndian.Uint16(content[i:])] {
			continue
		}
		for what, form := range f.forms {
			if bytes.HasPrefix(content[i:], form) {
				return what
			}
		}
	}
	return ""
}
