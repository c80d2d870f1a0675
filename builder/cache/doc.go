// Package cache is the cache directory: the store of results, downloads, package
// indices, snapshots.
//
// The one idea: everything in it is an item with a size and a time of last use.
// An item can be removed at any moment when nothing uses it, and never has to be.
package cache
