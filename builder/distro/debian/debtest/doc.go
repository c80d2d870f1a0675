// Package debtest makes package archives for tests: real packages, real indices,
// real signatures, served as mirrors serve them.
//
// The one idea: an archive is a value. A test changes the value and publishes it
// again, signed by another key, or past its date, or without a package, as a mirror
// changes between two builds.
package debtest
