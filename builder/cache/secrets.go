package cache

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"

	"github.com/treewright/treewright/builder/layer"
)

// secretsKeySize is that of the key, in bytes.
const secretsKeySize = 32

// SecretsKey returns random bytes that no other cache has. The first call makes them.
// Digests of secrets that are made with this key can be published: without the key
// nobody can test guesses of a secret. Only the owner of the cache can read the file.
func (c *Cache) SecretsKey() ([]byte, error) {
	path := c.path("secrets.key")
	key, err := os.ReadFile(path)
	if err == nil && len(key) == secretsKeySize || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	// With a new key, only steps that have secrets run again.
	key = make([]byte, secretsKeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return key, layer.WriteFile(path, key, 0o600)
}
