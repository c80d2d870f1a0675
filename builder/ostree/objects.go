package ostree

import (
	"fmt"
	"io"
	"strings"

	"github.com/treewright/treewright/builder/format"
)

// object is the path of an object below the repository.
func object(sum, kind string) string { return "objects/" + sum[:2] + "/" + sum[2:] + "." + kind }

// IsAbbreviation reports whether a text can be the beginning of a commit's checksum.
func IsAbbreviation(text string) bool {
	const least = 4
	return len(text) >= least && len(text) <= sumLength && strings.Trim(text, "0123456789abcdef") == ""
}

// sumLength is the length of a checksum in hexadecimal digits.
const sumLength = 64

// isSum reports whether a text is a whole checksum.
func isSum(text string) bool { return len(text) == sumLength && IsAbbreviation(text) }

// partialMark is the file by which ostree knows that a commit is not whole.
func partialMark(sum string) string { return "state/" + sum + ".commitpartial" }

// ObjectPath is the path of an object below the repository.
func ObjectPath(name string) string { return "objects/" + name[:2] + "/" + name[2:] }

// detached is the ending of what belongs to a commit but is not part of it, its
// signatures: its name says nothing of its content.
const detached = "commitmeta"

// SummarySignature is the file beside the summary with its signatures.
const SummarySignature = "summary.sig"

// largestDetached is more than signatures have, in bytes.
const largestDetached = 16 << 20

// readDetached reads detached metadata, which must be of the form that ostree
// writes.
func readDetached(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, largestDetached+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > largestDetached {
		return nil, fmt.Errorf("it has more than %d bytes", largestDetached)
	}
	return raw, format.CheckOSTreeMetadata(raw)
}
