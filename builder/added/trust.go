package added

import (
	"context"

	"github.com/treewright/treewright/builder/sign"
)

// Untrusted is an image that the machine refuses. No other source is asked then: somebody has to find out why.
type Untrusted struct{ msg string }

// Error implements error.
func (u *Untrusted) Error() string { return u.msg }

// trust is how images for a deployment are checked: as libostree checks its commits.
type trust struct {
	required bool
	// why is the part of the configuration that requires signatures.
	why  string
	keys [][]byte
}

// trust reads how images for a deployment are checked. Without a remote, the keys of the system decide.
func (m *Machine) trust(d Deployment) (trust, error) {
	r := remote{verify: true}
	if name := d.remote(); name != "" {
		var err error
		if r, err = m.remote(name); err != nil {
			return trust{}, err
		}
	}
	if !r.verify {
		return trust{}, nil
	}
	keys, err := m.keys(r)
	if err != nil {
		return trust{}, err
	}
	if r.name == "" {
		return trust{len(keys) > 0, "this system, which has public keys,", keys}, nil
	}
	return trust{true, "the remote " + r.name, keys}, nil
}

// check checks a signature, and returns the fingerprint of its key.
func (t trust) check(ctx context.Context, path string, data, signature []byte) (string, error) {
	return sign.Check(ctx, path, t.keys, data, signature)
}
