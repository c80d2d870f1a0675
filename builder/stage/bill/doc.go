// Package bill plans and carries out the steps that write bills of materials: one for
// the system, and one for each extension.
//
// The one idea: a bill lists what the finished tree has. What was resolved, and what features
// bring, only says where it is from.
package bill
