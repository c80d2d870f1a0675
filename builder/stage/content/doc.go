// Package content does what a flavour's own content asks for beyond packages and files:
// accounts, units, homes, and settings that only the finished tree can confirm.
//
// The one idea: what a flavour names is looked up in the tree, and what is not there is
// an error at the line of the flavour, with what was probably meant.
package content
