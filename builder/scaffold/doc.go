// Package scaffold writes what people begin with: a feature, a flavour, a tree.
//
// The one idea: what it writes passes check as it is, and explains itself; what is
// there already is never touched.
package scaffold
