// Package debian turns package names into trees: it resolves them against a
// signed archive, fetches the files, bootstraps and installs.
//
// The one idea: everything from the network is pinned by hash before a step
// sees it. apt's solver turns names into a [distro.Closure] of exact packages; after
// that only files with those hashes are let in, and dpkg works offline on them.
package debian
