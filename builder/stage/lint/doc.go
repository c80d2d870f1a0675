// Package lint checks finished trees for faults that would break a machine or make it
// insecure: missing files, open modes, secrets.
//
// The one idea: all faults of a tree are reported at once, each with the name that
// the file has on a machine and the package or feature it is from.
package lint
