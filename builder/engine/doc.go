// Package engine runs a plan: it looks up what is known, schedules the rest,
// and carries each step out in a process of its own.
//
// The one idea: start from what is wanted and go backwards only as far as
// results are missing. A result that is there stands for everything that led
// to it.
package engine
