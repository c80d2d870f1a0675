// Package e2e builds real flavours from the real archive and looks at what
// comes out. Its tests need root, a network, and minutes; they run with
// `make e2e`, as part of `make test`.
//
// The one idea: nothing here knows the code. The tests use the command as a
// user does, and read what it leaves.
package e2e
