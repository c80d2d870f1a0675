// Package diag has the errors that say where a fault is and who can correct it.
//
// The one idea: an error says whose fault it is, the request's, the
// configuration's or the machine's, and carries what is to be shown; who shows
// it, and how, is decided elsewhere.
package diag
