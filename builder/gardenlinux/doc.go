// Package gardenlinux has the rules of Garden Linux trees: how a tree of features
// alone is read and checked, what a cname is, and how it is built and published.
// The packages below it have the parts.
//
// The one idea: all that only other people's trees need is here, used through
// [rules.Kind] and [rules.Rules]. Who builds systems of flavours never opens this directory.
package gardenlinux
