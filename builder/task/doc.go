// Package task is what the action of a step is given: the mounted tree and
// inputs, the tools, the sources, a log, and a place for warnings and facts.
//
// The one idea: an action gets a [Task] and nothing else of the host. Whatever it
// runs, it runs by the task, in the tree or in the tools, with the step's own
// environment; so the same step gives the same bytes everywhere.
package task
