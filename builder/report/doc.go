// Package report writes a page about a build: its graph, its times, its sizes, its packages and
// what changed.
//
// The one idea: a report is a value, and the page is a function of it. The page is one file
// that needs no other, runs no program, and is readable on a phone, on paper, in light and in dark.
package report
