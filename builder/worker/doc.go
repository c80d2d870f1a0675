// Package worker carries out steps on other machines, by a [remote.Executor]. [Sender] runs on the machine that builds. [Work] runs on
// the worker, where this program is the command of an Action.
//
// The one idea: an Action depends only on its step. Its inputs are the program, the step as JSON, and the packed data of other results. The
// records of other results are not inputs. So all machines that need the same step on the same data ask for the same Action.
package worker
