// Package trial boots what was built in a virtual machine, for a person or for tests.
//
// The one idea: the builder makes artifacts and knows nothing about machines, and
// package vm boots an image and knows nothing about flavours; this package makes the
// disks, networks and commits that connect the two.
package trial
