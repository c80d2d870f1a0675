// Package format writes and reads the formats that artifacts come in: file
// systems, partition tables, OSTree's commit objects.
//
// The one idea: the programs that know a format do the work, from the tools
// layer; what is here is how they must be called to give the same bytes
// every time.
package format
