package verity

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
)

// PartitionSize is the size of the partition of a signature, in bytes.
const PartitionSize = 16 << 10

// partition is the content of the partition of a signature, by the Discoverable Partitions
// Specification (https://uapi-group.org/specifications/specs/discoverable_partitions_specification/).
type partition struct {
	RootHash    string `json:"rootHash"`
	Fingerprint string `json:"certificateFingerprint"`
	Signature   []byte `json:"signature"` // base64 in JSON
}

// Partition returns the content of the partition of a signature (DER) of a root hash, by a
// certificate's key.
func Partition(rootHash string, cert *x509.Certificate, signature []byte) ([]byte, error) {
	text, err := json.Marshal(partition{rootHash, Fingerprint(cert), signature})
	if err != nil {
		return nil, err
	}
	if len(text) > PartitionSize {
		return nil, fmt.Errorf("the signature has %d bytes, more than its partition can hold: make it detached and without certificates", len(signature))
	}
	return append(text, make([]byte, PartitionSize-len(text))...), nil
}

// ReadPartition returns the root hash and the signature in the content of a partition; ok
// reports whether it has a signature.
func ReadPartition(content []byte) (rootHash string, signature []byte, ok bool) {
	var p partition
	if json.Unmarshal(bytes.TrimRight(content, "\x00"), &p) != nil {
		return "", nil, false
	}
	return p.RootHash, p.Signature, len(p.Signature) > 0
}
