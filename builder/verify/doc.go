// Package verify builds a system once more, in other surroundings, compares all artifacts
// with those of the first build, and finds out what a difference comes from.
//
// The one idea: both builds plan the same steps, by the same keys. So the first step that left
// something else, though all that it was given was the same, is where a difference begins.
package verify
