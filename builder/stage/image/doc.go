// Package image makes disk images that boot a commit: the EFI system partition with
// GRUB, and a root with the commit deployed.
//
// The one idea: nothing is mounted and nothing of the host counts. File systems are
// made of directories, with identifiers and times that follow from what is in them.
package image
