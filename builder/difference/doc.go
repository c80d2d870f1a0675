// Package difference finds out what is different between two systems: commits, builds, or
// lists of packages, and writes that as text, Markdown or JSON.
//
// The one idea: what is equal is not looked at. Trees are compared by the checksums of
// their directories, so two commits of a system of thousands of files are compared in the
// time that their differences take, without a checkout and over a network too.
package difference
