// Package worker has steps carried out by other machines, which are reached by a [remote.Executor]: [Sender] is the side of the machine
// that builds, and [Work] that of the worker, where this program runs as the command of an Action.
//
// The one idea: an Action has all that its step has, and nothing else. Its inputs are the program, the step as JSON, and the packed data
// of other results, which have no record: the same step on the same data is the same Action, whoever asks for it.
package worker
