// Package secret finds secrets in what programs write: in logs, messages and files.
//
// The one idea: a secret is looked for in every form that common programs give it, as
// it is and encoded, and masked or reported by its name. That finds accidents; it
// keeps nothing from a program that wants to hide a secret.
package secret
