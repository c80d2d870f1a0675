// Package sandbox runs commands: the host's programs as they are, and a step's
// programs in namespaces and a root of their own.
//
// The one idea: every step is carried out by one child process that is the
// first of its own PID and mount namespace. Whatever it mounts or starts ends
// with it, even when it or its parent is killed, so there is nothing to clean
// up but files.
package sandbox
