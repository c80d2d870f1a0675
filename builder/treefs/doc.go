// Package treefs reads, compares and changes directory trees: globs, copies,
// differences, links, owners and times.
//
// The one idea: a tree is other people's. What is read as one ([New], [Within])
// opens nothing but regular files and directories of a real file system, and only
// so much of them, whatever is there under their names: a FIFO never ends, a
// device does something when it is opened, and files of /proc say that they are
// empty and are not. And where a name in a tree is meant as programs of that tree
// would read it ([OpenRoot], [Glob], [Overlay]), its links lead where they do for
// them, never out of the tree.
package treefs
