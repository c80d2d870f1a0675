package sign

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// The kinds of armoured text (RFC 9580, section 6.2.1).
const (
	SignatureText = "SIGNATURE"
	KeysText      = "PUBLIC KEY BLOCK"
)

// Armoured returns a signature or keys as text of a kind, with the checksum (RFC 9580, section 6), in the form in which apt reads it.
func Armoured(kind string, data []byte) []byte {
	const perLine = 64
	var b bytes.Buffer
	b.WriteString("-----BEGIN PGP " + kind + "-----\n\n")
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(data)), perLine) {
		b.Write(append(line, '\n'))
	}
	sum := crc24(data)
	b.WriteString("=" + base64.StdEncoding.EncodeToString([]byte{byte(sum >> 16), byte(sum >> 8), byte(sum)}) + "\n-----END PGP " + kind + "-----\n")
	return b.Bytes()
}

// Dearmoured returns the content of all armoured parts of a text, such as keys and signatures. Data without such a part is
// returned as it is.
func Dearmoured(data []byte) []byte {
	if !bytes.Contains(data, []byte("-----BEGIN PGP ")) {
		return data
	}
	var out []byte
	for {
		_, rest, found := bytes.Cut(data, []byte("-----BEGIN PGP "))
		if !found {
			return out
		}
		block, after, _ := bytes.Cut(rest, []byte("-----END PGP "))
		data = after
		// Headers end with an empty line, and the checksum begins with =.
		var text strings.Builder
		inBody := false
		for line := range strings.Lines(string(block)) {
			line = strings.TrimSpace(line)
			switch {
			case !inBody:
				inBody = line == ""
			case strings.HasPrefix(line, "="):
			default:
				text.WriteString(line)
			}
		}
		if raw, err := base64.StdEncoding.DecodeString(text.String()); err == nil {
			out = append(out, raw...)
		}
	}
}

// crc24 is the checksum of armour (RFC 9580, section 6.1).
func crc24(data []byte) uint32 {
	sum := uint32(0xb704ce)
	for _, b := range data {
		sum ^= uint32(b) << 16
		for range 8 {
			if sum <<= 1; sum&0x1000000 != 0 {
				sum ^= 0x1864cfb
			}
		}
	}
	return sum & 0xffffff
}
