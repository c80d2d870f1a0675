package ostree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WithoutReserve calls do while ostree may use the whole disk for the repository. By itself it
// leaves 3 percent of a disk free (ostree.repo-config(5), min-free-space-percent), which
// of a large disk is more than a build takes. How much space a build needs is checked before it.
// The configuration is the same afterwards.
func (r Repository) WithoutReserve(do func() error) error {
	file := filepath.Join(r.dir, "config")
	config, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("configure a repository: %w", err)
	}
	// A group may be in the file twice.
	if err := os.WriteFile(file, append(config[:len(config):len(config)], "\n[core]\nmin-free-space-percent=0\n"...), 0o644); err != nil {
		return fmt.Errorf("configure a repository: %w", err)
	}
	return errors.Join(do(), os.WriteFile(file, config, 0o644))
}
