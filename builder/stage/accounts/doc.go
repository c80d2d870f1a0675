// Package accounts makes the accounts that features declare, and keeps the numbers
// of all accounts of a tree as they were in the commits before.
//
// The one idea: a number that files on a machine may have is never given to another
// account.
package accounts
