// Package config reads a project: flavour files in HCL or YAML, and the
// directories of features. It is pure: it sees the project through an fs.FS, the
// environment as a map, and returns values and diagnostics.
//
// The one idea: two syntaxes, one language. HCL and YAML are both presented to
// decode as the same kind of hcl.Body, so they share the structs, the checks,
// the messages and, in a further step, the JSON Schemas. Every fault is an
// hcl.Diagnostic with its place in the source; reading goes on after a fault,
// so that one run names them all.
package config
