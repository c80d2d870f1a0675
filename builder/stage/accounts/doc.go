// Package accounts makes the accounts that features declare, and keeps the numbers
// of all accounts of a tree as they were in the commits before.
//
// The one idea: a number that a file on a machine has never becomes somebody
// else's.
package accounts
