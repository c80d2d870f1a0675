// Package used opens the trees that a configuration tree uses: what is part of the
// program, directories of this machine, commits of git repositories.
//
// The one idea: what is used stays the same until its entry is changed. A commit is
// fetched once, by its id, and kept; a branch cannot be named.
package used
