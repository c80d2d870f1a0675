// Package program brings this program into a system, for machines that add packages to themselves.
//
// The one idea: the program is a source like the files of a feature. The key of its step has its digest, so the same program makes the
// same system, and another one makes another.
package program
