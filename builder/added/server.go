package added

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
)

// mostSignature is the maximum size of a signature in bytes.
const mostSignature = 1 << 20

// files are the files of a directory on a web server.
type files struct {
	client *download.Client
	// url is the URL of the directory.
	url string
}

// filesAt are the files of a directory below the URL base.
func (m *Machine) filesAt(base, dir string, t download.Timing) files {
	return files{download.New(t, http.ProxyFromEnvironment, m.Say), base + "/" + dir}
}

// server is a web server that has images as files, and may make missing images. It may be any web server.
type server struct {
	files
	// renew asks for newer versions, also if the server has the image.
	renew bool
}

// newServer returns the server that has a directory extend below the URL base.
func (m *Machine) newServer(base string) server {
	return server{m.filesAt(base, extend.Dir, m.Timing), m.Renew}
}

// Origin implements [Source].
func (s server) Origin() Origin { return Origin{"server", s.url} }

// Document implements [Source]. The request determines the path of the document, not the answer of the server.
func (s server) Document(ctx context.Context, q extend.Request) (text, signature []byte, err error) {
	if !s.renew {
		if text, signature, err = s.published(ctx, q); !errors.Is(err, errAbsent) {
			return text, signature, err
		}
	}
	if err := s.make(ctx, q); err != nil {
		why := makesNone(err)
		if !s.renew || why == "" {
			return nil, nil, err
		}
		s.client.Say(why + "; the image that it has now is used")
	}
	text, signature, err = s.published(ctx, q)
	if errors.Is(err, errAbsent) && !s.renew {
		err = errors.New("the server has made the image, and does not have its list")
	}
	return text, signature, err
}

// makesNone describes why a server does not make an image that it can have nevertheless, made on request of somebody else; "" for other errors.
func makesNone(err error) string {
	var failed *extend.Failure
	switch {
	case errors.Is(err, errDoesNotMake):
		return "the server makes no images when it is asked"
	case errors.As(err, &failed) && failed.Reason == extend.NotAllowed:
		return failed.Text
	}
	return ""
}

// published gets a document that the server has.
func (s server) published(ctx context.Context, q extend.Request) (text, signature []byte, err error) {
	if text, err = s.get(ctx, q.DocumentFile(), extend.MostDocument); download.NotFound(err) {
		return nil, nil, errAbsent
	} else if err != nil {
		return nil, nil, err
	}
	if signature, err = s.get(ctx, q.SignatureFile(), mostSignature); download.NotFound(err) {
		err = nil
	}
	return text, signature, err
}

// Image implements [Source].
func (s server) Image(ctx context.Context, d *extend.Document) (io.ReadCloser, error) {
	return s.client.Open(ctx, s.url+"/"+d.ImageFile())
}

// Try implements [Source].
func (s server) Try(ctx context.Context, what string, work func() error) error {
	return s.client.Try(ctx, what, work)
}

// get downloads a small file.
func (s server) get(ctx context.Context, file string, most int64) ([]byte, error) {
	body, err := s.client.Open(ctx, s.url+"/"+file)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, most+1))
	if err == nil && int64(len(text)) > most {
		err = download.Permanent(fmt.Errorf("%s/%s has more than %d bytes", s.url, file, most))
	}
	return text, err
}
