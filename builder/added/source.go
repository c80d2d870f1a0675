package added

import (
	"context"
	"errors"
	"io"

	"github.com/treewright/treewright/builder/extend"
)

// Source is a place where images come from.
type Source interface {
	// Origin describes this source, for images that came from it.
	Origin() Origin
	// Document returns the document of the image that is asked for, and its signature, nil without one. A source
	// that makes images makes it first. The error is errAbsent if the source does not have the image, and does not make it.
	Document(ctx context.Context, q extend.Request) (text, signature []byte, err error)
	// Image opens the image of a document that Document returned.
	Image(ctx context.Context, d *extend.Document) (io.ReadCloser, error)
	// Try does work with this source, until it succeeds or another try does not help. what describes the work in messages.
	Try(ctx context.Context, what string, work func() error) error
}

// errAbsent is the error of an image that a source does not have.
var errAbsent = errors.New("it does not have the image")

// errDoesNotMake is the error of a server that has files only.
var errDoesNotMake = errors.New("it does not have the image, and it makes none when it is asked")
