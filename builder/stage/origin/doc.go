// Package origin tells which files of a tree are there because of a feature.
//
// The one idea: nobody keeps a record; the trees before and after a phase are
// compared, so that scripts are found out like lists of files.
package origin
