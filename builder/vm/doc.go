// Package vm boots images in QEMU: for a person to use, and for tests to run
// in.
//
// The one idea: the image is not changed. Everything that a test or a person needs
// in the machine (a key, a unit that starts an agent, the tests themselves) comes
// from outside, as credentials in the machine's firmware tables and on a second
// disk. So the image that is tested is the image that was built.
//
// QEMU and its firmware come from a layer, like all tools, and run in a separate
// root and separate namespaces; when this program ends, for whatever reason, they
// end with it.
package vm
