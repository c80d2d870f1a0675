package task

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

const resolver = "/etc/resolv.conf"

// NetworkHints is what a step with a network must know of this machine.
type NetworkHints struct {
	// Apt is this machine's apt policy, in the syntax of apt.conf(5).
	Apt string `json:"apt"`
}

// AptPolicy is where apt finds that policy while such a step runs.
const AptPolicy = "/run/treewright/apt.conf"

// LendNetwork gives the programs in a prepared root what they need of this
// machine to reach the network.
func (t *Task) LendNetwork(root string) error {
	if !t.Step.Network {
		return nil
	}
	hints, err := Hints[NetworkHints](t)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root+filepath.Dir(AptPolicy), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(root+AptPolicy, []byte(hints.Apt), 0o644); err != nil {
		return err
	}
	return shareResolver(root)
}

// shareResolver lets the programs in a root find hosts by name as this machine
// does, while a step with a network runs. What the tree itself says of that is
// covered, not changed.
func shareResolver(root string) error {
	if _, err := os.Stat(resolver); errors.Is(err, fs.ErrNotExist) {
		return nil // this machine has none either
	}
	inside := root + resolver
	link, err := os.Readlink(inside)
	if err != nil {
		return sandbox.Bind(resolver, inside, true)
	}
	// systemd-resolved's link leads to /run, which is empty while steps run.
	target := link
	if !filepath.IsAbs(link) {
		target = filepath.Join(filepath.Dir(resolver), link)
	}
	if !strings.HasPrefix(filepath.Clean(target), "/run/") {
		return fmt.Errorf("the tree's %s is a link to %s, so the resolver configuration cannot be put there", resolver, link)
	}
	return sandbox.Bind(resolver, root+filepath.Clean(target), true)
}
