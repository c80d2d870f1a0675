// Package engine runs a plan: it looks up which results are in the store, schedules
// the other steps, and carries each of them out in a process of its own.
//
// The one idea: start from the wanted steps and go backwards only as far as results
// are missing. If a result is in the store, none of the steps before it is needed.
package engine
