// Package sign makes and checks OpenPGP signatures of what is published, by GnuPG or by
// a command of the user's.
//
// The one idea: who signs is nowhere near what is signed. Private keys stay with gpg, its
// agent, a card, or the command; this package hands over bytes and gets a signature, which
// counts only if one of the public keys of the configuration made it.
package sign
