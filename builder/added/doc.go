// Package added adds packages to a machine that runs a commit: images of packages for its deployments are fetched,
// checked, kept, and merged as a system extension.
//
// The one idea: an image belongs to a commit, and each commit that a machine can boot has its own image. So the merged image
// always fits the running system, an upgrade waits for its image, and a rollback finds its earlier image.
package added
