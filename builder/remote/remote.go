// Package remote has the common parts of caches on other machines. A result is sent packed, as one
// stream that [github.com/treewright/treewright/builder/layer.Store.Pack] writes.
//
// The one idea: a cache on another machine only saves work. Its results are checked before they are used. If it
// fails, the build continues as if it had never been named.
package remote

import (
	"context"
	"errors"
	"io"
)

// Cache keeps packed results by their keys (64 hexadecimal digits). Its methods can be called at
// the same time.
type Cache interface {
	// Has reports for each of the keys whether the cache has a result, as far as the cache knows.
	Has(ctx context.Context, keys []string) (map[string]bool, error)
	// Get calls read with a packed result. If the bytes do not have the size and digest of the cache's own record, they
	// end with an error that is not io.EOF. So read has to read to the end before the result counts. The error wraps
	// [ErrMissing] if the cache does not have the result, or not all of it, and [ErrWrong] if the bytes are others.
	Get(ctx context.Context, key string, read func(packed io.Reader) error) error
	// Put keeps a packed result. write writes it, with the same bytes each time that it is called. A
	// result that the cache already has is replaced.
	Put(ctx context.Context, key string, write func(packed io.Writer) error) error
	// Close ends the connection.
	Close() error
}

var (
	// ErrMissing is the error if a cache does not have a result.
	ErrMissing = errors.New("the server does not have it")
	// ErrUnfit is the error if the bytes agree with the cache's record, but they are not a result, or
	// are another result, or are damaged. The reader of a result returns it.
	ErrUnfit = errors.New("the answer of the cache is not the result that was asked for")
	// ErrWrong is the error if a cache has given other bytes than those of its own record.
	ErrWrong = errors.New("the server has sent bytes that do not match their digest")
)

// Access is the address of a cache and the credentials for it.
type Access struct {
	// URL is grpc://HOST:PORT[/INSTANCE], grpcs://HOST[:PORT][/INSTANCE], or oci://REGISTRY/REPOSITORY. It does not
	// contain a password.
	URL string
	// Authority is a PEM file with the certificates of the authorities that are trusted in place of this
	// machine's. If it is "", this machine's are trusted. Certificate and Key are PEM files of a client certificate. All paths are absolute.
	Authority, Certificate, Key string
	// Helper is the program that is asked for credentials of a gRPC server, by the credential helper protocol of
	// Bazel (https://github.com/EngFlow/credential-helper-spec); "" for none. For registries, the
	// credentials come from docker's configuration.
	Helper string
}
