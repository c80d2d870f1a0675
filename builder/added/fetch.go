package added

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
)

// margin is the number of bytes that must stay free beside an image.
const margin = 32 << 20

// noServer is the error of a machine that does not know a server with images.
const noServer = "this machine knows no server that has images: its system follows no remote with a web server, and /etc/treewright/added.json names none; with --local the machine makes the image itself"

// fetcher gets images.
type fetcher struct {
	*Machine
	// have is a good image that is not fetched again; nil without one.
	have *image
	// check decides whether a document is valid.
	check func(ctx context.Context, text, signature []byte) error
}

// sources are the places that are asked for images of a deployment, in their order.
func (m *Machine) sources(d Deployment, dir string) ([]Source, error) {
	here := &local{Machine: m, d: d, bundle: dir}
	switch {
	case m.Local:
		return []Source{here}, nil
	case dir != "":
		return []Source{bundle{dir}}, nil
	}
	base, err := m.baseOf(d)
	if err != nil {
		return nil, err
	}
	var all []Source
	if base != "" {
		all = append(all, m.newServer(base))
	}
	// An upgrade gets its image in the same way as the running commit.
	if m.madeBefore() {
		all = append(all, here)
	}
	return all, nil
}

// madeBefore reports whether an image of this machine was made here.
func (m *Machine) madeBefore() bool {
	entries, err := os.ReadDir(m.at(imagesDir))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if i, err := m.image(e.Name()); err == nil && i.origin.Kind == madeHere {
			return true
		}
	}
	return false
}

// fetch gets the image for a request from the first source that has it. The draft is complete, but not yet in place; nil if the source has the same
// image as f. The error names each source that
// failed. An image that must not be trusted ends the search.
func (f fetcher) fetch(ctx context.Context, q extend.Request, sources []Source) (*draft, error) {
	if len(sources) == 0 {
		return nil, errors.New(noServer)
	}
	var reasons []error
	for _, s := range sources {
		var d *draft
		err := s.Try(ctx, "get the image of packages", func() (err error) {
			d, err = f.try(ctx, q, s)
			return err
		})
		if c, ok := s.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		if err == nil {
			return d, nil
		}
		var untrusted *Untrusted
		var failed *extend.Failure
		switch {
		case ctx.Err() != nil, errors.As(err, &untrusted), full(err):
			return nil, fmt.Errorf("%s: %w", s.Origin(), err)
		case errors.As(err, &failed): // its text is for people
		default:
			err = fmt.Errorf("%s: %w", s.Origin(), err)
		}
		reasons = append(reasons, err)
	}
	return nil, errors.Join(reasons...)
}

// try gets the image from a source, once; nil if it is the same image as f has.
func (f fetcher) try(ctx context.Context, q extend.Request, s Source) (*draft, error) {
	text, signature, err := s.Document(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(text) > extend.MostDocument {
		return nil, &Untrusted{fmt.Sprintf("the list of the image has more than %d bytes", extend.MostDocument)}
	}
	doc, err := extend.Read(text, q)
	if err != nil {
		return nil, download.Permanent(&Untrusted{err.Error()})
	}
	if s.Origin().Kind != madeHere {
		if err := f.check(ctx, text, signature); err != nil {
			return nil, download.Permanent(err)
		}
	}
	if f.have != nil && f.have.document.SHA256 == doc.SHA256 {
		return nil, nil
	}
	if err := f.room(doc); err != nil {
		return nil, download.Permanent(err)
	}
	f.Say(fmt.Sprintf("%s of %s, from %s", amountOf(doc.Size), packagesOf(q.Packages), s.Origin()))
	body, err := s.Image(ctx, doc)
	if download.NotFound(err) { // the list was replaced meanwhile
		return nil, download.Doubtful(errors.New("the image of its list does not exist there"))
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	d, err := f.newDraft(q.Commit, text, signature, doc, s.Origin())
	if err != nil {
		return nil, err
	}
	if err := d.fill(body); err != nil {
		d.discard()
		var other *damaged
		if errors.As(err, &other) {
			err = download.Doubtful(&Untrusted{other.Error()})
		}
		return nil, err
	}
	return d, nil
}

// room returns an error if the file system does not have space for an image.
func (f fetcher) room(d *extend.Document) error {
	if err := os.MkdirAll(f.at(imagesDir), 0o755); err != nil {
		return err
	}
	free, err := f.Free(f.at(imagesDir))
	if err != nil {
		return err
	}
	if need := d.Size + margin; free < need {
		return &noRoom{fmt.Sprintf("the image needs %s in %s, and %s are free", amountOf(need), f.at(imagesDir), amountOf(free))}
	}
	return nil
}

// noRoom is the error of a file system without space for an image.
type noRoom struct{ msg string }

func (n *noRoom) Error() string { return n.msg }

// full reports whether an error is a full disk, for which another source does not help.
func full(err error) bool {
	var n *noRoom
	return errors.As(err, &n) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
