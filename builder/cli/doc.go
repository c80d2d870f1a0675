// Package cli is the command line: one file a verb.
//
// The one idea: a verb is a value in one table, from which the usage texts and
// the shell completion come too; verbs return errors, and one place turns
// those into messages and exit codes.
package cli
