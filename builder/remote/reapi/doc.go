// Package reapi is a client of servers of the Remote Execution API (version 2): Buildbarn, BuildBuddy, NativeLink,
// Buildfarm, buildbox. It stores results of steps in their shared cache, and executes Actions on them.
//
// The one idea: a packed result is stored as the only output file of an Action. The Action is computed from the key of the result. So every
// server that caches Actions can keep results of Treewright. Before a result or an output of an execution is used, the client
// compares its size and SHA-256 with the ActionResult.
package reapi
