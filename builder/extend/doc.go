// Package extend describes images of packages that machines of a commit add to it: how they are asked for, what
// their files are called, and the list of what is in one.
//
// The one idea: an image belongs to one commit and one set of names. From these two follows where it is published, so that
// a machine finds it on any web server, and asks a builder only for what is not there.
package extend
