// Package oci keeps packed results in a repository of an OCI registry, such as that of a forge.
//
// A result is an image of one layer: the packed result, compressed by zstd. Its tag is made of the result's key, and annotations of
// its manifest have the key, the size and the digest of what is packed.
//
// The one idea: a result is an ordinary image, since that is the one thing that each registry takes. Artifact types and media types of
// our own would be the better description, and registry.gitlab.com refuses both.
package oci
