package format

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// UUID derives an identifier from names: the same names always give the same
// one, other names another. It is of version 8 (RFC 9562), in lower case.
func UUID(names ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
