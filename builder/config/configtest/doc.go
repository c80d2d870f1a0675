// Package configtest makes trees of features for tests.
//
// The one idea: a test that is about features shows the whole tree, one feature a
// line, and the line is the place that faults are reported at.
package configtest
