// Package rules says what there is to know of a kind of configuration tree: how it
// is read and checked, and how what it names is built. It has the rules of trees
// with flavours; others stand elsewhere.
//
// The one idea: the answers to all such questions are in one value, a [Subject],
// so that who builds, publishes, runs or tests it never asks what kind it is.
package rules
