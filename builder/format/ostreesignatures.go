package format

import "errors"

// signaturesKey is the entry of detached metadata with OpenPGP signatures, and
// signaturesType its type: see ostree-repo-private.h, _OSTREE_METADATA_GPGSIGS_NAME.
const (
	signaturesKey  = "ostree.gpgsigs"
	signaturesType = "aay"
)

var errSignatures = errors.New("not the signatures of an OSTree repository")

// OSTreeSignatures returns the detached OpenPGP signatures (binary) in the metadata
// beside a commit (.commitmeta) or summary (summary.sig): a serialised GVariant of type
// a{sv}. There may be none.
func OSTreeSignatures(b []byte) ([][]byte, error) {
	entries, err := gvariantArray(b, 8)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		key, value, err := gvariantEntry(e)
		if err != nil {
			return nil, err
		}
		if key != signaturesKey {
			continue
		}
		end := len(value) - len(signaturesType) - 1
		if end < 0 || string(value[end:]) != "\x00"+signaturesType {
			return nil, errSignatures
		}
		return gvariantArray(value[:end], 1)
	}
	return nil, nil
}

// WithOSTreeSignatures returns metadata, as [OSTreeSignatures] reads it, with these
// signatures in place of its own. All other entries are kept.
func WithOSTreeSignatures(b []byte, signatures [][]byte) ([]byte, error) {
	entries, err := gvariantArray(b, 8)
	if err != nil {
		return nil, err
	}
	return withEntry(entries, signaturesKey, gvariantContainer(signatures, 1), signaturesType)
}
