// Package system works out what a cname of a Garden Linux tree is: its features,
// packages, environment, and the artifacts that its features make.
//
// The one idea: the core is package compose's, as for flavours; what a cname has
// besides stands beside the Spec, so that nothing that reads a Spec needs to know
// of it.
package system
