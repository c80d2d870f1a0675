// Package reapi is a client of servers of the Remote Execution API (version 2): Buildbarn, BuildBuddy, NativeLink,
// Buildfarm, buildbox. It uses their shared cache for results of steps, and has Actions executed by them.
//
// The one idea: a packed result is stored as the only output file of an Action that is computed from the result's key. So every
// server that caches Actions can keep results of Treewright. A result, or an output of an execution, is used only after its size
// and SHA-256 have been compared with those in the ActionResult.
package reapi
