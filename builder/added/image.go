package added

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
)

// imagesDir has a directory for each commit with an image, with these files. Directories that begin with
// newPrefix are not complete.
const (
	imagesDir     = stateDir + "/extensions"
	imageFile     = extend.Extension + ".raw"
	documentFile  = extend.Extension + ".json"
	signatureFile = documentFile + ".sig"
	originFile    = extend.Extension + ".origin"
	newPrefix     = ".new-"
)

// Origin describes the source of an image.
type Origin struct {
	// Kind is "bundle", "server" or [madeHere]; Where is its directory or URL.
	Kind  string `json:"kind"`
	Where string `json:"where"`
}

// String returns both as text for messages.
func (o Origin) String() string { return o.Kind + " " + o.Where }

// image is a complete image of a commit on this machine.
type image struct {
	dir      string
	document *extend.Document
	// text is the document as it was signed; signature is nil if it is not signed.
	text, signature []byte
	origin          Origin
}

// errNoImage is the error of a commit without an image on this machine.
var errNoImage = errors.New("there is no image for it on this machine")

// image reads the document and the origin of a commit's image. It does not read the image itself: see [Machine.intact].
func (m *Machine) image(commit string) (*image, error) {
	return readImage(m.at(imagesDir, commit), commit)
}

func readImage(dir, commit string) (*image, error) {
	i := &image{dir: dir}
	var err error
	if i.text, err = os.ReadFile(filepath.Join(dir, documentFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, errNoImage
	} else if err != nil {
		return nil, err
	}
	var of extend.Request
	if err := json.Unmarshal(i.text, &of); err != nil {
		return nil, fmt.Errorf("read the list of the image: %w", err)
	}
	if i.document, err = extend.Read(i.text, extend.Request{Commit: commit, Packages: of.Packages}); err != nil {
		return nil, err
	}
	if i.signature, err = os.ReadFile(filepath.Join(dir, signatureFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, originFile))
	if err == nil {
		err = json.Unmarshal(text, &i.origin)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read where the image is from: %w", err)
	}
	return i, nil
}

// intact reads the image, and returns an error if it does not match its document.
func (i *image) intact() error {
	f, err := os.Open(filepath.Join(i.dir, imageFile))
	if err != nil {
		return err
	}
	defer f.Close()
	return copyExact(io.Discard, f, "image", i.document.Size, i.document.SHA256)
}

// copyExact copies a file, and returns an error if it does not have the size and the SHA-256 of its list. what describes it in messages.
func copyExact(to io.Writer, from io.Reader, what string, size int64, sha string) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(from, size+1))
	if err != nil {
		return err
	}
	if n != size {
		than := "shorter"
		if n > size {
			than = "longer"
		}
		return &damaged{fmt.Sprintf("the %s is %s than the %d bytes of its list", what, than, size)}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != sha {
		return &damaged{fmt.Sprintf("the %s has the SHA-256 %s, and its list has %s", what, got, sha)}
	}
	return nil
}

// damaged is the error of a file whose bytes do not match its list.
type damaged struct{ msg string }

func (d *damaged) Error() string { return d.msg }

// draft is an image that is being put together.
type draft struct{ image }

// newDraft begins an image for a commit.
func (m *Machine) newDraft(commit string, text, signature []byte, d *extend.Document, from Origin) (*draft, error) {
	if err := os.MkdirAll(m.at(imagesDir), 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(m.at(imagesDir), newPrefix+commit[:12]+"-")
	if err != nil {
		return nil, err
	}
	return &draft{image{dir, d, text, signature, from}}, nil
}

// fill writes all files of the draft, the image from a reader, and waits until they are on the disk.
func (d *draft) fill(from io.Reader) error {
	f, err := os.OpenFile(filepath.Join(d.dir, imageFile), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = copyExact(f, from, "image", d.document.Size, d.document.SHA256)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	origin, err := json.Marshal(d.origin)
	if err != nil {
		return err
	}
	files := map[string][]byte{documentFile: d.text, originFile: append(origin, '\n')}
	if d.signature != nil {
		files[signatureFile] = d.signature
	}
	for name, content := range files {
		if err := layer.WriteFile(filepath.Join(d.dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return os.Chmod(d.dir, 0o755)
}

// discard removes the draft.
func (d *draft) discard() { os.RemoveAll(d.dir) }

// place makes the draft the image of its commit. back undoes that, done removes the previous image; the caller calls one of them.
func (m *Machine) place(d *draft) (back func() error, done func() error, err error) {
	to := m.at(imagesDir, d.document.Commit)
	err = unix.Renameat2(unix.AT_FDCWD, d.dir, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	if err == nil {
		back = func() error {
			err := unix.Renameat2(unix.AT_FDCWD, d.dir, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
			d.discard()
			return err
		}
		done = func() error { d.discard(); return layer.SyncDir(m.at(imagesDir)) }
		return back, done, layer.SyncDir(m.at(imagesDir))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("put the image in place: %w", err)
	}
	if err := os.Rename(d.dir, to); err != nil {
		return nil, nil, err
	}
	back = func() error { return m.drop(d.document.Commit) }
	done = func() error { return layer.SyncDir(m.at(imagesDir)) }
	return back, done, done()
}

// drop removes the image of a commit.
func (m *Machine) drop(commit string) error {
	away := m.at(imagesDir, newPrefix+commit)
	if err := os.RemoveAll(away); err != nil {
		return err
	}
	err := os.Rename(m.at(imagesDir, commit), away)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(away), layer.SyncDir(m.at(imagesDir)))
}

// sweep removes incomplete images, and images of commits that no deployment has. The caller has the lock.
func (m *Machine) sweep(all []Deployment) error {
	if err := m.sweepScratch(); err != nil {
		return err
	}
	entries, err := os.ReadDir(m.at(imagesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	has := map[string]bool{}
	for _, d := range all {
		has[d.Commit] = true
	}
	for _, e := range entries {
		if has[e.Name()] {
			continue
		}
		if err := os.RemoveAll(m.at(imagesDir, e.Name())); err != nil {
			return fmt.Errorf("remove the image of a commit that is not deployed any more: %w", err)
		}
		if !strings.HasPrefix(e.Name(), newPrefix) {
			m.Say(fmt.Sprintf("removed the image of commit %.12s, which is not deployed any more", e.Name()))
		}
	}
	return nil
}

// imageList describes a document in messages.
const imageList = "the list of the image"

// authentic checks the signature of a text by the keys of the remote that a deployment follows. It returns nil if
// that remote does not require signatures: then images and pools do not need them either. what describes the text in messages.
func (m *Machine) authentic(ctx context.Context, d Deployment, what string, text, signature []byte) error {
	t, err := m.trust(d)
	if err != nil || !t.required {
		return err
	}
	if len(bytes.TrimSpace(signature)) == 0 {
		return &Untrusted{fmt.Sprintf("%s is not signed, and %s asks for signatures", what, t.why)}
	}
	if _, err := t.check(ctx, m.Path, text, signature); err != nil {
		return &Untrusted{fmt.Sprintf("the signature of %s does not count: %v", what, err)}
	}
	return nil
}
