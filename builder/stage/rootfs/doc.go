// Package rootfs composes a tree of features, phase by phase: packages, files,
// scripts. It makes the system's tree, and those of extensions above it.
//
// The one idea: every feature's part of a phase is a step of its own, so that a
// change repeats only what follows it.
package rootfs
