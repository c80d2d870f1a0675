// Package machine knows how a machine sees a committed tree: where it finds a file
// that is elsewhere in the tree, which os-release it reads, which account has a number.
//
// The one idea: a tree in OSTree's shape is read with the names that a machine has,
// and what one stage writes for machines, another finds under the same name.
package machine
