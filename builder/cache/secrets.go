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

// SecretsKey returns random bytes that this cache has for itself, made when they are
// asked for first. Digests of secrets that are made with them can be written down:
// who does not know the key cannot try secrets until one gives the digest. Only the
// owner of the cache can read the file.
func (c *Cache) SecretsKey() ([]byte, error) {
	path := c.path("secrets.key")
	key, err := os.ReadFile(path)
	if err == nil && len(key) == secretsKeySize || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	// Nothing is lost with another one but results of steps that had secrets.
	key = make([]byte, secretsKeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return key, layer.WriteFile(path, key, 0o600)
}
