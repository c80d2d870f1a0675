// Package download fetches files over HTTP from servers that may be slow, busy,
// broken or hostile.
//
// The one idea: every wait has a limit. A server that does not answer, or stops
// in the middle, gives an error with the reason; temporary failures are tried
// again, over a minute and more, and each try is reported; other failures are
// not tried again.
package download
