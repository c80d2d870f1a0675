// Package account knows the text files that list a system's accounts, passwd(5),
// group(5) and sysusers.d(5), and decides which numbers accounts get.
//
// The one idea: a number that an account had in any earlier commit is that
// account's for ever, as files on machines carry numbers and not names. So
// numbers are chosen against a ledger of all that were ever given, and a tree
// whose accounts came out with others is renumbered.
package account
