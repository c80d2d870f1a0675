// Package shape changes a system's tree to the layout that OSTree deploys: files that
// belong to the machine's owner leave the tree, and rules make their first content.
//
// The one idea: a machine's state belongs to its owner. What a commit ships as
// program is in /usr and is updated with it; what is the owner's is made once and
// never touched again.
package shape
