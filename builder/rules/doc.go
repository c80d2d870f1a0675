// Package rules has the interface of the rules for a kind of configuration tree: how
// it is read and checked, and how a name of it is built. It also has the rules for
// trees with flavours; those for other kinds are in packages of their own.
//
// The one idea: what the rules find out about a name is one value, a [Subject], so
// the code that builds, publishes, runs or tests it never asks for the kind of tree.
package rules
