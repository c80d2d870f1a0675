// Package added plans an extension of packages above a commit that was made before, perhaps by another builder.
//
// The one idea: the commit is the only source. Its tree, as a repository has it, gets the shape back in which packages
// can be installed; the extension stage then makes the extension like a flavour's own extensions.
package added
