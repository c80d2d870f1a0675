// Package objects writes the bytes of OSTree's objects that describe files and
// directories, and computes their checksums.
//
// The one idea: what a file, a directory and a listing are called in a repository
// follows from their content, owner, mode and extended attributes alone, so it can be
// computed where these are known, long before there is a repository. It is pure:
// everything is given as values.
package objects
