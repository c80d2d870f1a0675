// Package extension makes system extensions (systemd-sysext(8)) of trees: it finds
// what a tree has beyond the system as committed, and adds what a machine must do
// after the merge, as systemd makes no accounts and no files then.
//
// The one idea: an extension adds and never changes. What would change the system
// below it is an error that names the file; what cannot come along is left out
// with a warning.
package extension
