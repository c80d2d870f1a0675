// Package added plans an extension of packages above a commit that was made before, perhaps by another builder.
//
// The one idea: the commit is all there is. Its tree, as it is in a repository, gets the shape back in which packages
// can be installed; from there on the extension stage does what it does for a flavour's own extensions.
package added
