// Package stages plans and carries out what is made of a Garden Linux tree: its
// features' scripts as the Garden Linux builder runs them, and the artifacts.
//
// The one idea: all that stages of flavours need not know is in a [planner.Method],
// which package stage plans by without asking whose it is.
package stages
