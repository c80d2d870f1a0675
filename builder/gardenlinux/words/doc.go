// Package words says what lines of package lists come to as words, as a shell that
// knows nothing but $arch makes of them.
//
// The one idea: what a line comes to is what bash makes of it. Most lines are
// read without one, by a module for shell syntax; where that could differ, or a
// command is to be run, a bash that can reach nothing, in a sandbox, is asked.
package words
