// Package cache is the directory of what is kept for later builds: the store of
// results, downloads, package indices, snapshots. The one idea: all that is in it
// is items, each of a size and a time of last use, that can be removed at any
// moment but while somebody relies on them, and never need to be.
package cache
