// Package account reads and writes the text files that list a system's accounts,
// passwd(5), group(5) and sysusers.d(5), and decides which numbers accounts get.
//
// The one idea: a number that an account had in any earlier commit belongs to
// that account for ever, because files on machines have numbers and not names. So
// numbers are chosen against a ledger of all that were ever given out, and a tree
// whose accounts got others is renumbered.
package account
