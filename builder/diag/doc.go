// Package diag has the errors by which a fault reaches whoever can mend it.
//
// The one idea: an error says whose fault it is, the request's, the
// configuration's or the machine's, and carries what is to be shown; who shows
// it, and how, is decided elsewhere.
package diag
