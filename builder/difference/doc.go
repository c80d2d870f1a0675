// Package difference finds out what is different between two systems: commits, builds, or
// lists of packages, and writes that as text, Markdown or JSON.
//
// The one idea: what is equal is not looked at. Trees are compared by the checksums of
// their directories, without a checkout and over a network too, so the time depends on what
// differs. Only the size of a whole tree takes the beginnings of all its files; it is added up
// for trees on this machine.
package difference
