// Package plantest is what tests of plans share: made-up packages and
// results, and golden files of graphs.
//
// The one idea: a golden file shows all that the keys of a plan cover, so that a
// change of any key shows in review.
package plantest
