// Package remote has what caches on other machines have in common. A result travels packed, as one
// stream that [github.com/treewright/treewright/builder/layer.Store.Pack] writes.
//
// The one idea: a cache on another machine only ever spares work. What it gives is checked before it counts, and
// where it fails the build continues as if it had never been named.
package remote

import (
	"context"
	"errors"
	"io"
)

// Cache keeps packed results by their keys (64 hexadecimal digits). Its methods can be called at
// the same time.
type Cache interface {
	// Has returns for which of the keys the cache has a result, as far as it knows.
	Has(ctx context.Context, keys []string) (map[string]bool, error)
	// Get calls read with a packed result. What read gets ends with an error that is not io.EOF, if it is not what
	// the cache's own record says (size and digest): so read has to read to the end before the result counts. The error wraps [ErrMissing] if
	// the cache does not have the result, or not all of it, and [ErrWrong] if it is something else.
	Get(ctx context.Context, key string, read func(packed io.Reader) error) error
	// Put keeps a packed result, which write writes, the same bytes each time that it is called. A
	// result that is there already is replaced.
	Put(ctx context.Context, key string, write func(packed io.Writer) error) error
	// Close ends the connection.
	Close() error
}

var (
	// ErrMissing is that a cache does not have a result.
	ErrMissing = errors.New("the cache does not have it")
	// ErrUnfit is that a cache has given what its record promises, but that is not a result, or another
	// one, or damaged. Who reads a result returns it.
	ErrUnfit = errors.New("what the cache gave is not the result that was asked for")
	// ErrWrong is that a cache has given other bytes than its own record promises.
	ErrWrong = errors.New("the cache has given other bytes than those that its digest promises")
)

// Access is how to get into a cache.
type Access struct {
	// URL is grpc://HOST:PORT[/INSTANCE], grpcs://HOST[:PORT][/INSTANCE], or oci://REGISTRY/REPOSITORY. It has no password in
	// it.
	URL string
	// Authority is a PEM file with the certificates of the authorities that are trusted in place of this
	// machine's, "" for those. Certificate and Key are PEM files of a client certificate. All paths are absolute.
	Authority, Certificate, Key string
	// Helper is the program that is asked for credentials of a gRPC server, by the credential helper protocol of
	// Bazel (https://github.com/EngFlow/credential-helper-spec); "" for none. Registries have those of docker's configuration.
	Helper string
}
