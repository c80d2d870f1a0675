// Package lock is the lock file of a flavour: the exact packages of each list that its
// plan resolves, and the release files that they were chosen by.
//
// The one idea: a lock answers the same questions as when it was made. A list has what was
// wanted beside what was chosen. If something else is wanted, the lock has no answer, and none
// is guessed.
package lock
