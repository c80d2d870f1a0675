// Package oci keeps packed results in a repository of an OCI registry, such as that of a forge.
//
// A result is an image of one layer: the packed result, compressed by zstd. Its tag is made of the result's key. Annotations of
// its manifest have the key, and the size and digest of the packed result.
//
// The one idea: a result is an ordinary image, since each registry takes those. Our own artifact types and media types would describe
// a result better, but registry.gitlab.com refuses both.
package oci
