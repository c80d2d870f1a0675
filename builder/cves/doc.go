// Package cves compares what systems are made of with the data of a security tracker, and
// with the decisions of their owner.
//
// The one idea: no fault disappears. Each is open, fixed in a version, ignored for a reason
// that is written down, or undetermined, and a rule that applies to no fault is reported.
package cves
