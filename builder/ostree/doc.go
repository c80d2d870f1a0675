// Package ostree keeps the history of commits: it finds the newest commit, in a
// repository, a tarball of one or an archive on the network, looks at every
// object that it needs, takes a repository over into a new one, publishes it, and
// packs it. It knows no flavour and no stage; commits themselves are made by the
// program ostree.
//
// The one idea: a history is never lost. That there is none yet is a fact to be
// established, never what an error turns into; what is damaged is replaced or
// named; and what others may have seen is only ever followed.
package ostree
