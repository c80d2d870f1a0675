// Package tree reads the features and the list of published flavours of a Garden
// Linux tree: what Python, PyYAML and a shell make of its files.
//
// The one idea: the reading of files that every tree has is package config's; a
// [config.Dialect] hands it what differs, and what config knows nothing of is
// kept with each feature as [Parts].
package tree
