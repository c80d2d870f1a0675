// Package bill plans and carries out the steps that write bills of materials: one for
// the system, and one for each extension.
//
// The one idea: a bill lists the content of the finished tree. The packages that were resolved
// and the files of features are used only to find the origin of that content.
package bill
