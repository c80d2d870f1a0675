// Package download fetches files over HTTP from servers that may be slow, busy,
// broken or hostile.
//
// The one idea: every wait has an end. What does not answer, or stops in the
// middle, is an error that says so; what may pass is tried again, over a minute
// and more, and each try is told; what will not pass is not tried again.
package download
