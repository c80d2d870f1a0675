// Package cves compares what systems are made of with the data of a security tracker, and
// with the decisions of their owner.
//
// The one idea: nothing disappears. A fault is open, fixed in a version, ignored for a reason
// that somebody wrote down, or undetermined, and a reason that is used up is reported.
package cves
