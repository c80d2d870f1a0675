// Package machine knows what a machine makes of a committed tree: where a file is
// that is elsewhere in the tree, which os-release it reads, whose a number is.
//
// The one idea: a tree in OSTree's shape is read with the names that a machine has,
// and what one stage writes for machines, another finds under the same name.
package machine
