// Package compose turns a flavour and the features it asks for into a [Spec]:
// which features there are and in which order, what their parameters are
// worth, and which packages that makes. It is pure; what it needs to know was
// read by package config.
//
// The one idea: who is in and in which order is decided by a small core on
// names alone ([Graph], [Selection]), which behaves as the Garden Linux
// builder's parse_features does, in its corners too. Everything of our own
// (extensions, parameters, conditions) is worked out above it, from its
// answer, and never changes that answer.
package compose
