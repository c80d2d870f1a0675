// Package commit makes commits: the initramfs, the commit itself above the history
// that was found, and the tarball of the repository.
//
// The one idea: a commit is made of its tree, its parent and nothing else. The
// same tree gives no new commit. If a tree differs although nothing was changed, a
// warning names the steps that gave other bytes.
package commit
