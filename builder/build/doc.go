// Package build is the road of one build: a request is loaded, resolved,
// planned, run and published. A program that imports it can build what the
// command line can.
//
// The one idea: each stop of the road takes values and returns values, faults
// and warnings among them, and changes nothing that it was given; what happens
// meanwhile goes to the sink of whoever asked. Nothing here prints, or ends the
// process.
package build
