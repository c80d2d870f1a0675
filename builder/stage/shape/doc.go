// Package shape brings a system's tree into the shape that OSTree deploys: what
// belongs to the machine's owner leaves the tree, and rules bring its first content.
//
// The one idea: a machine's state belongs to its owner. What a commit ships as
// program is in /usr and is updated with it; what is the owner's is made once and
// never touched again.
package shape
