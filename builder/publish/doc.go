// Package publish puts the artifacts of a build, their checksums, the logs and the
// manifest where users find them.
//
// The one idea: all files are written beside their place, and are complete and on
// the disk before any of them gets its name; the manifest is last. So a build that
// fails publishes nothing.
package publish
