// Package source keeps snapshots of the files that steps read from outside of the
// graph: features' directories, single files, generated text.
//
// The one idea: a step reads what its key was made of. A source is copied to a
// name that is its digest before anything is planned with it, so that editing a
// feature during a build can neither mix two versions nor put content under a key
// that is not its own.
package source
