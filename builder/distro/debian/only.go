package debian

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// Only returns an archive without indices: nothing but these packages can be chosen.
func (p Policy) Only(o distro.ArchiveOptions, packages []distro.Archived) (distro.Archive, error) {
	root := filepath.Join(o.Cache, "apt", "none-"+o.Arch)
	for _, dir := range []string{filepath.Join(root, "etc/apt/apt.conf.d"), filepath.Join(root, "etc/apt/preferences.d"), filepath.Join(root, "lists/partial"), filepath.Join(root, "cache/archives/partial"), filepath.Join(o.Cache, "resolved")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("prepare apt root: %w", err)
		}
	}
	// By this it is known when it was of use, when space is freed.
	lock, now := filepath.Join(root, "lock"), time.Now()
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		return nil, fmt.Errorf("prepare apt root: %w", err)
	}
	_ = os.Chtimes(lock, now, now)
	index, err := ParseIndex(nil)
	return &Archive{
		Arch: o.Arch, MoreArchs: o.MoreArchs, Policy: p, client: o.Client, offline: true, alone: true, held: packages,
		root: root, dir: root, release: "none", results: filepath.Join(o.Cache, "resolved"), index: index,
	}, err
}
