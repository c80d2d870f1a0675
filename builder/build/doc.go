// Package build is the way of one build: a request is loaded, resolved,
// planned, run and published. A program that imports it can build whatever the
// command line can.
//
// The one idea: each stop on the way takes values and returns values, faults and
// warnings among them, and does not change its arguments; what happens meanwhile is
// sent to the caller's event sink. Nothing here prints, or ends the process.
package build
