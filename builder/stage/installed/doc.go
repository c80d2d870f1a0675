// Package installed reads what a tree's package database says: which packages the
// finished tree has, and what a script or a list of files did to them.
//
// The one idea: what was resolved is a plan; what is installed in the end is what
// the system has, and is what it is named after.
package installed
