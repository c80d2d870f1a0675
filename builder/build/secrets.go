package build

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
)

// secretPrefix begins the variable that names the file of a secret.
const secretPrefix = "TREEWRIGHT_SECRET_"

// takeSecrets takes the names and files of secrets from the options and from the
// environment. Which ones a build needs is known only with its subject; see
// [Builder.UnknownSecrets]. Their content is read when it is needed.
func (b *Builder) takeSecrets() error {
	b.secrets = map[string]*secretFile{}
	for name, path := range b.options.Env {
		if name, ok := strings.CutPrefix(name, secretPrefix); ok && path != "" {
			b.secrets[name] = &secretFile{path: path}
		}
	}
	for name, path := range b.options.Secrets {
		if path == "" {
			return diag.Requestf("no file is named for the secret %s", name)
		}
		b.secrets[name] = &secretFile{path: path, asked: true}
	}
	features := plainPath(filepath.Join(b.options.Tree, config.FeaturesDir))
	for _, name := range slices.Sorted(maps.Keys(b.secrets)) {
		f := b.secrets[name]
		var err error
		if f.path, err = filepath.Abs(f.path); err != nil {
			return err
		}
		if strings.HasPrefix(plainPath(f.path), features+"/") {
			return diag.Requestf("the secret %s: %s is in the directory of features, whose files are copied into the cache and shown to scripts; keep it elsewhere", name, f.path)
		}
	}
	auth := b.secrets[AuthSecret]
	if auth == nil {
		return nil
	}
	if err := auth.look(AuthSecret, b.options.Say); err != nil {
		return err
	}
	if info, err := os.Stat(auth.path); err != nil || !info.Mode().IsRegular() {
		return diag.Requestf("the secret %s: %s is not a regular file, and package programs read it several times", AuthSecret, auth.path)
	}
	for _, f := range b.backend.Families {
		if err := f.CheckAuth(auth.path); err != nil {
			return diag.Requestf("the secret %s: %v", AuthSecret, err)
		}
	}
	return nil
}

// plainPath is a path without symbolic links, as far as they can be followed.
func plainPath(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	return path
}

// auth are the files with names and passwords for servers.
func (b *Builder) auth() []string {
	if f := b.secrets[AuthSecret]; f != nil {
		return []string{f.path}
	}
	return nil
}

// CheckSecrets finds secrets that are given but that none of the subjects asks for,
// and those that a subject asks for but that are not given. Subjects that are built
// together are checked together, before the first one is.
func (b *Builder) CheckSecrets(ctx context.Context, subjects ...*Subject) error {
	if err := b.UnknownSecrets(subjects...); err != nil {
		return err
	}
	for _, s := range subjects {
		if _, err := b.secretsOf(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// secretsOf reads the secrets that a subject asks for, by name.
func (b *Builder) secretsOf(ctx context.Context, s *Subject) (map[string][]byte, error) {
	missing := s.Spec.MissingSecrets(func(name string) bool { return b.secrets[name] != nil })
	if missing.HasErrors() {
		return nil, &diag.Faults{Files: s.Project.Files, List: missing}
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	contents := map[string][]byte{}
	for _, asked := range s.Spec.Secrets() {
		f := b.secrets[asked.Name]
		if err := f.read(ctx, asked.Name); err != nil {
			return nil, err
		}
		contents[asked.Name] = f.content
	}
	return contents, nil
}

// versionsOf are the versions of secrets for keys; see plan.Secret.
func versionsOf(secrets map[string][]byte, c *cache.Cache) (map[string]string, error) {
	versions := map[string]string{}
	if len(secrets) == 0 {
		return versions, nil
	}
	key, err := c.SecretsKey()
	if err != nil {
		return nil, err
	}
	for name, content := range secrets {
		sum := hmac.New(sha256.New, key)
		sum.Write(content)
		versions[name] = hex.EncodeToString(sum.Sum(nil)[:16])
	}
	return versions, nil
}
