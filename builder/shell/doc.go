// Package shell looks at shell scripts without running them.
//
// The one idea: a script keeps its length and its places; only what is not run is
// blanked, so that a plain search finds commands and can name their lines.
package shell
