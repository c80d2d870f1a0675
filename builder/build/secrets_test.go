package build

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/treetest"
)

// TestSecretsAreUsedAndKept: with the secret auth a protected archive is read, and
// what is in the file is neither in the plan nor in anything that is written or said.
func TestSecretsAreUsedAndKept(t *testing.T) {
	r := debtest.New(t, &debtest.Suite{Name: "testing", Packages: debtest.Base()})
	m := r.Serve(t)
	m.User, m.Password = "me", "hidden-word"
	file := filepath.Join(t.TempDir(), "auth.conf")
	if err := os.WriteFile(file, []byte("machine "+m.URL+" login me password hidden-word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flavour := flavourX(r, m.URL, "testing", `["main"]`)
	if _, err := prepare(t, flavour, Options{}); err == nil || !strings.Contains(err.Error(), "--secret auth=FILE") {
		t.Errorf("without the secret: %v", err)
	}
	var keys []string
	for name, o := range map[string]Options{
		"named": {Secrets: map[string]string{AuthSecret: file}}, "in the environment": {Env: map[string]string{"TREEWRIGHT_SECRET_auth": file}},
	} {
		o.Cache, o.Output = t.TempDir(), t.TempDir()
		p, err := prepare(t, flavour, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := json.Marshal(p.Graph.Steps())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), file) || strings.Contains(string(text), "hidden-word") {
			t.Errorf("%s: the plan has the password, or not its file", name)
		}
		keys = append(keys, p.Graph.Key("rootfs/bootstrap"))
		for _, dir := range []string{o.Cache, o.Output} {
			if found := treetest.Holding(t, dir, "hidden-word"); len(found) > 0 {
				t.Errorf("%s: the password is in %q", name, found)
			}
		}
	}
	m.User = ""
	p, err := prepare(t, flavour, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if key := p.Graph.Key("rootfs/bootstrap"); key == "" || key != keys[0] || key != keys[1] {
		t.Errorf("the key depends on the password: %s and %s", key, keys)
	}
}

// TestSecretFaults: what is wrong with a secret is told before anything is done.
func TestSecretFaults(t *testing.T) {
	dir := treetest.Lay(t, t.TempDir(), "tree/features/")
	treetest.Write(t, filepath.Join(dir, "good"), "machine example.org login me password hidden-word\n")
	treetest.Write(t, filepath.Join(dir, "bad"), "password=hidden-word\n")
	for want, secrets := range map[string]map[string]string{
		"the secret auth: stat ":                 {"auth": dir + "/none"},
		"the secret auth: " + dir:                {"auth": dir},
		"/dev/null is not a regular file, and":   {"auth": "/dev/null"},
		"no file is named for the secret auth":   {"auth": ""},
		"has no entry of the form `machine HOST": {"auth": dir + "/bad"},
	} {
		_, err := Open(Options{Tree: dir + "/tree", Secrets: secrets})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden-word") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	var said []string
	o := Options{Tree: dir + "/tree", Secrets: map[string]string{"auth": dir + "/good"}, Say: func(line string) { said = append(said, line) }}
	for mode, lines := range map[os.FileMode]int{0o600: 0, 0o644: 1} {
		said = nil
		if err := os.Chmod(dir+"/good", mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(o); err != nil || len(said) != lines {
			t.Errorf("mode %o: said %q, error %v", mode, said, err)
		}
	}
}
