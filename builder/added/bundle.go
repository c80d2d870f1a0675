package added

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/extend"
)

// bundle is a directory with images, as on a USB stick, in the form of [extend.Dir].
type bundle struct{ dir string }

// Origin implements [Source].
func (b bundle) Origin() Origin { return Origin{"bundle", b.dir} }

// Document implements [Source].
func (b bundle) Document(_ context.Context, q extend.Request) (text, signature []byte, err error) {
	text, err = os.ReadFile(filepath.Join(b.dir, q.DocumentFile()))
	if errors.Is(err, fs.ErrNotExist) {
		if _, derr := os.Stat(b.dir); derr != nil {
			return nil, nil, derr
		}
		if _, perr := os.Stat(filepath.Join(b.dir, extend.PoolDir, q.Commit)); perr == nil {
			return nil, nil, fmt.Errorf("%w; it has packages for this commit: with --local this machine makes the image of them", errAbsent)
		}
		return nil, nil, errAbsent
	}
	if err != nil {
		return nil, nil, err
	}
	signature, err = os.ReadFile(filepath.Join(b.dir, q.SignatureFile()))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return text, signature, err
}

// Image implements [Source].
func (b bundle) Image(_ context.Context, d *extend.Document) (io.ReadCloser, error) {
	return os.Open(filepath.Join(b.dir, d.ImageFile()))
}

// Try implements [Source]: a file is not another one at the next try.
func (b bundle) Try(_ context.Context, _ string, work func() error) error { return work() }
