package publish

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// Extension publishes an image of packages in the directory dir, which [extend.Dir] describes: the file at image, then the
// signature and the document. A machine that finds the document finds the rest. signature is nil for none. An
// earlier document of the same packages is replaced; its image stays, as a machine may be fetching it.
func Extension(dir, image string, d *extend.Document, document, signature []byte) error {
	at := filepath.Join(dir, filepath.FromSlash(d.ImageFile()))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(at); err != nil || info.Size() != d.Size {
		if err := putImage(image, at); err != nil {
			return err
		}
	}
	signed := filepath.Join(dir, filepath.FromSlash(d.SignatureFile()))
	if signature == nil {
		if err := os.Remove(signed); err != nil && !os.IsNotExist(err) {
			return err
		}
	} else if err := layer.WriteFile(signed, signature, 0o644); err != nil {
		return err
	}
	return layer.WriteFile(filepath.Join(dir, filepath.FromSlash(d.DocumentFile())), document, 0o644)
}

// putImage puts a copy of an image at a path, all of it or nothing.
func putImage(image, at string) error {
	draft := fmt.Sprintf("%s.%d", at, os.Getpid())
	defer os.Remove(draft)
	if err := treefs.CopyContent(image, draft); err != nil {
		return err
	}
	// Web servers that are not root hand it out.
	if err := os.Chmod(draft, 0o644); err != nil {
		return err
	}
	if err := layer.Sync(draft); err != nil {
		return err
	}
	return os.Rename(draft, at)
}
