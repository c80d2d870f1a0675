// Package lint looks at finished trees for what would break on a machine, or be a
// weakness there: missing parts, open modes, secrets.
//
// The one idea: all faults of a tree are reported at once, each with the name that
// the file has on a machine and the package or feature it is from.
package lint
