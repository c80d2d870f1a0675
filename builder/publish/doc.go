// Package publish puts what a build made where users get it, and says what it is:
// artifacts, their sums, logs, and the manifest.
//
// The one idea: all of it is written beside its place, complete and on the disk, before anything
// gets its name; the manifest comes last. So a build that fails shows nothing.
package publish
