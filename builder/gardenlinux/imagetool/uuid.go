package imagetool

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// UUIDHash gives the SHA-256 of what it reads in the shape of a UUID: its
// first 16 bytes, and those as they are, so that the version and variant
// fields mean nothing.
func UUIDHash(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return shape(h.Sum(nil)), nil
}

// uuidOf is UUIDHash of a string.
func uuidOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return shape(sum[:])
}

func shape(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// volumeID gives the identifier of a FAT file system for a string: the first
// eight digits of its hash.
func volumeID(s string) string {
	sum := sha256.Sum256([]byte(s))
	return fmt.Sprintf("%x", sum[:4])
}
