// Package words says what lines of package lists come to as words, as a shell that
// knows nothing but $arch makes of them.
//
// The one idea: most lines need no shell and are read here; for the others one
// that can reach nothing, in a sandbox, is asked.
package words
