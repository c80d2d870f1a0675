// Package reapi is a client of servers of the Remote Execution API (version 2): Buildbarn, BuildBuddy, NativeLink,
// Buildfarm, buildbox. It uses their shared cache for results of steps, and has Actions executed by them.
//
// The one idea: a packed result is the only output file of an Action that follows from the result's key alone. So every
// server that caches Actions can keep results of Treewright, and does not have to know of them. A result, and each output
// of an execution, is used only after its size and its SHA-256 have been compared with those in the ActionResult.
package reapi
