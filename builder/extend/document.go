package extend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/treewright/treewright/builder/distro"
)

// documentVersion is the version of the form of documents.
const documentVersion = 1

// MostDocument is the largest size of a document in bytes.
const MostDocument = 4 << 20

// Document describes an image. The document is signed, and it has the image's SHA-256, so the signature covers the image.
type Document struct {
	Version int `json:"version"`
	Request
	// Arch is the architecture of the commit, as Debian calls it.
	Arch string `json:"arch"`
	// Added are the packages that the commit does not have: the requested packages, and their dependencies.
	Added []distro.Package `json:"added"`
	// Size is the image's length in bytes, SHA256 its hash in hexadecimal.
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Key is the key of the step that made the image: it covers the commit's tree, the exact packages, and the recipe.
	Key string `json:"key"`
	// Notes describe the parts of the packages that are not in the image.
	Notes []string `json:"notes,omitempty"`
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Encode returns the document as JSON.
func (d *Document) Encode() ([]byte, error) {
	d.Version = documentVersion
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

// Read reads the document of the requested image. A document of another commit or set is an error, as a signature
// alone does not prove that it is the right document.
func Read(text []byte, asked Request) (*Document, error) {
	d := &Document{}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(d); err != nil {
		return nil, fmt.Errorf("read the list of an image: %w", err)
	}
	switch {
	case d.Version != documentVersion:
		return nil, fmt.Errorf("the list of the image has version %d, and this program reads version %d", d.Version, documentVersion)
	case d.Commit != asked.Commit:
		return nil, fmt.Errorf("the image is for commit %.12s, not for %.12s", d.Commit, asked.Commit)
	case !slices.Equal(d.Sorted().Packages, asked.Sorted().Packages):
		return nil, fmt.Errorf("the image is of %v, not of %v", d.Packages, asked.Sorted().Packages)
	case !digest.MatchString(d.SHA256) || d.Size <= 0:
		return nil, fmt.Errorf("the list of the image does not have the SHA-256 and the size of the image")
	}
	return d, nil
}
