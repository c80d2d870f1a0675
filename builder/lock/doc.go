// Package lock is the lock file of a flavour: the exact packages of each list that its
// plan resolves, and the release files that they were chosen by.
//
// The one idea: a lock answers the very questions that it was asked when it was made. A
// list keeps what was wanted beside what was chosen; if something else is wanted, the lock
// has no answer, and nobody guesses one.
package lock
