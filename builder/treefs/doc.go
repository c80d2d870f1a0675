// Package treefs reads trees that other people have written. The one idea: the
// only things ever opened are regular files and directories of a real file
// system, and only so much is read of them, whatever lies there under their
// names: a FIFO never ends, a device does something when it is opened, and files
// of /proc say that they are empty and are not.
package treefs
