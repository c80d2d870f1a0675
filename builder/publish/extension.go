package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// Extension publishes an image of packages in the directory dir, which [extend.Dir] describes: the file at image, then the
// signature and the document. A machine that finds the document finds the rest. signature is nil for an unsigned image. An
// earlier document of the same packages is replaced; its image stays for a while, as a machine may be fetching it.
func Extension(dir, image string, d *extend.Document, document, signature []byte) error {
	at := filepath.Join(dir, filepath.FromSlash(d.ImageFile()))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if same, err := treefs.SameContent(image, at); err != nil || !same {
		if err := putImage(image, at); err != nil {
			return err
		}
	}
	signed, listed := filepath.Join(dir, filepath.FromSlash(d.SignatureFile())), filepath.Join(dir, filepath.FromSlash(d.DocumentFile()))
	if signature == nil {
		if err := os.Remove(signed); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else if err := layer.WriteFile(signed, signature, 0o644); err != nil {
		return err
	}
	if err := layer.WriteFile(listed, document, 0o644); err != nil {
		return err
	}
	return removeReplaced(filepath.Dir(at))
}

// replacedStay is how long an image stays after its document was replaced.
const replacedStay = 24 * time.Hour

// removeReplaced removes images that no document of a commit has, and files that an interrupted process left, after that time.
func removeReplaced(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		var d extend.Document
		if err != nil || json.Unmarshal(text, &d) != nil {
			return err // the images of the commit are unknown then
		}
		has[d.SHA256+".raw"] = true
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.Contains(e.Name(), ".raw") && !has[e.Name()] && time.Since(info.ModTime()) > replacedStay {
			err = os.Remove(filepath.Join(dir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// KeepExtensions removes the images of the commits for which keep is false, in the directory dir, which [extend.Dir] describes.
func KeepExtensions(dir string, keep func(commit string) bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err == nil && !keep(e.Name()) {
			err = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	return err
}

// putImage puts a complete copy of an image at a path, or returns an error.
func putImage(image, at string) error {
	draft := fmt.Sprintf("%s.%d", at, os.Getpid())
	defer os.Remove(draft)
	if err := treefs.CopyContent(image, draft); err != nil {
		return err
	}
	// Web servers that do not run as root read it.
	if err := os.Chmod(draft, 0o644); err != nil {
		return err
	}
	if err := layer.Sync(draft); err != nil {
		return err
	}
	return os.Rename(draft, at)
}
