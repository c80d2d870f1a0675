// Package verify builds a system again in other surroundings, compares all artifacts with
// those of the first build, and finds the cause of a difference.
//
// The one idea: both builds plan the same steps, by the same keys. So a difference begins with
// the first step whose result differs although all that it was given is the same.
package verify
