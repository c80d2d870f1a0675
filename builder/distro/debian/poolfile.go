package debian

import "github.com/treewright/treewright/builder/distro"

// poolFile is where a pool's package is, below the directory that the pool is in.
func poolFile(p distro.Archived) string { return distro.PoolFiles + "/" + p.SHA256 + ".deb" }
