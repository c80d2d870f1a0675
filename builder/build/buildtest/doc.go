// Package buildtest is a backend of [build] for tests: it runs no step and asks
// no archive, and needs neither root nor a network.
//
// The one idea: all that comes before and after the work of steps is real (the
// plan, the cache, what is published); what a step would make is a text that
// says which step it is of.
package buildtest
