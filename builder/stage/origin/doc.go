// Package origin finds out which files of a tree come from a feature.
//
// The one idea: nothing is recorded; the trees before and after a phase are
// compared, so the files that scripts make are found like those in lists.
package origin
