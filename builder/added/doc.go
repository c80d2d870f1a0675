// Package added adds packages to a machine that runs a commit: images of packages for its deployments are fetched,
// checked, kept, and merged as a system extension.
//
// The one idea: an image belongs to a commit, and each commit that a machine can boot has its own. So what is merged
// always fits what is running, an upgrade waits for its image, and a rollback finds the one that it had.
package added
