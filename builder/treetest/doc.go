// Package treetest makes and looks at trees in tests. The one idea: a test that is
// about a tree shows the tree, one entry a word, and fails by itself where it
// cannot be made.
package treetest
