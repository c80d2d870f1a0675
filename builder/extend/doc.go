// Package extend describes images of packages that machines of a commit add to it: the requests for them,
// the names of their files, and the documents that list their packages.
//
// The one idea: an image belongs to one commit and one set of names. These two determine its published path, so that
// a machine finds it on any web server, and asks a builder only for images that are not published.
package extend
