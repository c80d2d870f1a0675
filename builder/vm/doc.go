// Package vm boots images in QEMU: for a person to use, and for tests to run
// in.
//
// The one idea: the image is not touched. What a test or a person needs in the
// machine (a key, a unit that starts an agent, the tests themselves) comes from
// outside, as credentials in the machine's firmware tables and on a disk of its
// own, so that what is seen to work is what was built.
//
// QEMU and its firmware come from a layer, like all tools, and run in a root
// and namespaces of their own; when this program ends, however it does, they
// end with it.
package vm
