// Package plan holds the graph of steps: what is to be done, in which order,
// under which keys. It is pure: it computes and does nothing.
//
// The one idea: a step is a value, and its key is a hash over that value with
// the names of its inputs replaced by their keys. A process that has a key knows
// what the result will be, on whatever machine it is made.
package plan
