package build_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// withSecrets is a tree with a feature of secret parameters, and its scripts.
func withSecrets(t *testing.T) (tree string) {
	t.Helper()
	tree = small(t)
	treetest.WriteAll(t, tree, map[string]string{
		"features/vpn/info.yaml": `type: element
secrets: [/etc/vpn.key]
parameters:
  token: {secret: true, default: "${flavour}_token"}
  early: {secret: true, early: true}
  unused: {secret: true}
`,
		"flavours/vpn.hcl": "flavour \"vpn\" {\n  extends      = \"small\"\n  add_features = [\"vpn\"]\n  set \"vpn\" {\n    early = \"license\"\n  }\n}\n" +
			"flavour \"again\" {\n  extends = \"vpn\"\n}\n",
	})
	for _, script := range []string{"exec.early", "exec.config", "exec.build", "exec.post"} {
		path := filepath.Join(tree, "features/vpn", script)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// lending plans a flavour with secrets.
func lending(t *testing.T, tree string, name string, o build.Options) (*build.Builder, *build.Prepared, error) {
	t.Helper()
	o.Tree, o.Jobs, o.Backend = tree, 1, buildtest.Backend()
	b, err := build.Open(o)
	if err != nil {
		return nil, nil, err
	}
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(t.Context(), project, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CheckSecrets(t.Context(), s); err != nil {
		return b, nil, err
	}
	p, err := b.Prepare(t.Context(), s, &recorder{})
	if err == nil {
		t.Cleanup(p.Close)
	}
	return b, p, err
}

// secretFiles writes files with secrets outside of the tree.
func secretFiles(t *testing.T, content map[string]string) map[string]string {
	t.Helper()
	dir, files := t.TempDir(), map[string]string{}
	for name, text := range content {
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestSecretsOfParameters: the steps of a feature's scripts have the secrets that they
// are to have, by their names; keys follow the secrets, and nothing that is written or
// planned holds them, their files, or a digest that can be made without the cache.
func TestSecretsOfParameters(t *testing.T) {
	tree := withSecrets(t)
	given := map[string]string{"vpn_token": "hidden-word-1\n", "license": "other-word-22\n"}
	files := secretFiles(t, given)
	cache := t.TempDir()
	_, p, err := lending(t, tree, "vpn", build.Options{Secrets: files, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]struct {
		secrets []string
		env     map[string]string
	}{
		"rootfs/exec.early/vpn":  {[]string{"license"}, map[string]string{"PARAM_EARLY": "/run/treewright/secrets/license"}},
		"rootfs/exec.config/vpn": {[]string{"vpn_token", "license"}, map[string]string{"PARAM_EARLY": "/run/treewright/secrets/license", "PARAM_TOKEN": "/run/treewright/secrets/vpn_token", "PARAM_UNUSED": ""}},
		"rootfs/exec.build/vpn":  {[]string{"vpn_token", "license"}, map[string]string{"PARAM_TOKEN": "/run/treewright/secrets/vpn_token"}},
		"rootfs/exec.post/vpn":   {[]string{"vpn_token", "license"}, map[string]string{"PARAM_TOKEN": "/run/treewright/secrets/vpn_token"}},
	} {
		s := p.Graph.Step(id)
		var names []string
		for _, secret := range s.Secrets {
			names = append(names, secret.Name)
		}
		if !slices.Equal(names, want.secrets) || !slices.Equal(s.MayHold, []string{"/etc/vpn.key"}) {
			t.Errorf("%s has the secrets %q, and %q may hold them", id, names, s.MayHold)
		}
		if with := " of vpn with the secret " + strings.Join(want.secrets, " and "); !strings.HasSuffix(s.Title, with) {
			t.Errorf("%s is called %q, not ...%s", id, s.Title, with)
		}
		for name, value := range want.env {
			if got, ok := s.Env[name]; !ok || got != value {
				t.Errorf("%s has $%s %q, want %q", id, name, got, value)
			}
		}
		if _, ok := s.Env["PARAM_TOKEN"]; ok != slices.Contains(names, "vpn_token") {
			t.Errorf("%s has $PARAM_TOKEN: %v", id, ok)
		}
	}
	if s := p.Graph.Step("rootfs/install-system"); len(s.Secrets) > 0 {
		t.Errorf("packages are installed with %v", s.Secrets)
	}
	text, err := json.Marshal(p.Graph.Steps())
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"hidden-word", "other-word", files["license"], filepath.Dir(files["license"])} {
		if strings.Contains(string(text), hidden) {
			t.Errorf("the plan holds %q", hidden)
		}
		if found := treetest.Holding(t, cache, hidden); len(found) > 0 {
			t.Errorf("%q is in %q", hidden, found)
		}
	}
	if info, err := os.Stat(filepath.Join(cache, "secrets.key")); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("the cache's key is %v, error %v", info, err)
	}

	const late, early = "rootfs/exec.config/vpn", "rootfs/exec.early/vpn"
	changed := func(o build.Options) (lateToo, earlyToo bool) {
		t.Helper()
		_, other, err := lending(t, tree, "vpn", o)
		if err != nil {
			t.Fatal(err)
		}
		return other.Graph.Key(late) != p.Graph.Key(late), other.Graph.Key(early) != p.Graph.Key(early)
	}
	// The same from another place, by the environment.
	elsewhere := secretFiles(t, given)
	if a, b := changed(build.Options{Cache: cache, Env: map[string]string{"TREEWRIGHT_SECRET_vpn_token": elsewhere["vpn_token"], "TREEWRIGHT_SECRET_license": elsewhere["license"], "TREEWRIGHT_SECRET_x": "/none"}}); a || b {
		t.Errorf("the place of a file changes a key")
	}
	given["vpn_token"] = "hidden-word-2\n"
	rotated := secretFiles(t, given)
	if a, b := changed(build.Options{Cache: cache, Secrets: rotated}); !a || b {
		t.Errorf("with another token: exec.config is another step: %v, exec.early: %v", a, b)
	}
	if a, b := changed(build.Options{Cache: t.TempDir(), Secrets: files}); !a || !b {
		t.Error("a key can be made without the cache's own")
	}
}

// TestSecretsAnywhere: commits say what they were made of in the same way in every
// cache.
func TestSecretsAnywhere(t *testing.T) {
	tree := withSecrets(t)
	files := secretFiles(t, map[string]string{"vpn_token": "hidden-word-1", "license": "other-word-22"})
	var recipes []string
	for range 2 {
		_, p, err := lending(t, tree, "vpn", build.Options{Secrets: files, Cache: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		key, err := p.Graph.KeyAnywhere("commit/tree")
		if err != nil {
			t.Fatal(err)
		}
		recipes = append(recipes, key, string(p.Graph.Step("commit/commit").Params))
	}
	if recipes[0] != recipes[2] || recipes[1] != recipes[3] {
		t.Errorf("the recipes are %q", recipes)
	}
}

// TestSecretsOfParametersFaults: what is missing, given in vain, or no secret, is told
// before anything is planned.
func TestSecretsOfParametersFaults(t *testing.T) {
	tree := withSecrets(t)
	good := secretFiles(t, map[string]string{"vpn_token": "hidden-word-1", "license": "other-word-22", "short": "1234567\n", "empty": "", "long": strings.Repeat("x", 20<<10)})
	for want, o := range map[string]build.Options{
		`features/vpn/info.yaml:4,`: {Secrets: map[string]string{"license": good["license"]}},
		`Flavour "vpn" needs the secret "license", for the parameter "early" of feature "vpn". Give the file that holds it: --secret license=FILE, or TREEWRIGHT_SECRET_license=FILE in the environment.`: {Secrets: map[string]string{"vpn_token": good["vpn_token"]}},
		`nothing asks for the secret "vpn_tokn", only for auth, license, vpn_token; did you mean "vpn_token"?`:                                                                                            {Secrets: map[string]string{"vpn_tokn": good["vpn_token"]}},
		"has only 7 bytes; a secret has 8 at least": {Secrets: map[string]string{"vpn_token": good["short"], "license": good["license"]}},
		"is a directory":             {Secrets: map[string]string{"vpn_token": filepath.Dir(good["empty"]), "license": good["license"]}},
		"/empty is empty":            {Secrets: map[string]string{"vpn_token": good["empty"], "license": good["license"]}},
		"has more than 16384 bytes":  {Secrets: map[string]string{"vpn_token": good["long"], "license": good["license"]}},
		"the secret vpn_token: stat": {Secrets: map[string]string{"license": good["license"]}, Env: map[string]string{"TREEWRIGHT_SECRET_vpn_token": "/none"}},
	} {
		o.Cache = t.TempDir()
		_, p, err := lending(t, tree, "vpn", o)
		if p != nil || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden-word") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	b, err := build.Open(build.Options{Tree: tree, Jobs: 1, Backend: buildtest.Backend(), Cache: t.TempDir(), Secrets: map[string]string{"x": good["short"]}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(t.Context(), build.Request{Name: "small"}); err == nil || !strings.Contains(err.Error(), `nothing asks for the secret "x", only for auth`) {
		t.Errorf("a build by name: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	treetest.Write(t, filepath.Join(tree, "features/vpn/token"), "hidden-word-1")
	if err := os.Symlink(filepath.Join(tree, "features/vpn/token"), link); err != nil {
		t.Fatal(err)
	}
	_, err = build.Open(build.Options{Tree: tree, Env: map[string]string{"TREEWRIGHT_SECRET_vpn_token": link}})
	if err == nil || !strings.Contains(err.Error(), "the secret vpn_token: "+link+" is in the directory of features") {
		t.Errorf("a secret among the features: %v", err)
	}
	var said []string
	_, _, err = lending(t, tree, "small", build.Options{
		Cache: t.TempDir(), Env: map[string]string{"TREEWRIGHT_SECRET_vpn": good["license"], "TREEWRIGHT_SECRET_none": ""}, Say: func(line string) { said = append(said, line) },
	})
	if err != nil || len(said) != 1 || !strings.Contains(said[0], `TREEWRIGHT_SECRET_vpn: nothing asks for the secret "vpn"`) {
		t.Errorf("of the environment it is said %q, error %v", said, err)
	}
}

// TestSecretsFromPipes: a pipe is read once, for all flavours that are built.
func TestSecretsFromPipes(t *testing.T) {
	tree := withSecrets(t)
	files := secretFiles(t, map[string]string{"license": "other-word-22", "again_token": "hidden-word-3"})
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(pipe, []byte("hidden-word-1"), 0o600) }()
	b, err := build.Open(build.Options{
		Tree: tree, Jobs: 1, Backend: buildtest.Backend(), Cache: t.TempDir(),
		Secrets: map[string]string{"license": files["license"], "again_token": files["again_token"], "vpn_token": pipe},
	})
	if err != nil {
		t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	var subjects []*build.Subject
	for _, name := range []string{"vpn", "again"} {
		s, err := b.Resolve(t.Context(), project, name)
		if err != nil {
			t.Fatal(err)
		}
		subjects = append(subjects, s)
	}
	if err := b.CheckSecrets(t.Context(), subjects...); err != nil {
		t.Fatal(err)
	}
	var versions []plan.Secret
	for _, s := range subjects {
		p, err := b.Prepare(t.Context(), s, &recorder{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		versions = append(versions, p.Graph.Step("rootfs/exec.config/vpn").Secrets...)
	}
	if len(versions) != 4 || versions[0].Version == versions[2].Version || versions[1] != versions[3] {
		t.Errorf("the secrets are %v", versions)
	}
}

// TestSecretsNobodyWrites: a wait for a pipe ends with the command.
func TestSecretsNobodyWrites(t *testing.T) {
	tree := withSecrets(t)
	files := secretFiles(t, map[string]string{"license": "other-word-22"})
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	b, s := resolved(t, build.Options{Tree: tree, Jobs: 1, Backend: buildtest.Backend(), Cache: t.TempDir(), Secrets: map[string]string{"license": files["license"], "vpn_token": pipe}}, "vpn")
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if err := b.CheckSecrets(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
