package sign

import (
	"encoding/binary"
	"time"
)

// Packets of OpenPGP (RFC 9580, 4.2 and 5.2.3).
const (
	signaturePacket  = 2
	signatureVersion = 4
	creationTime     = 2 // a subpacket
)

// madeAt returns when a signature was made, by its own word; the zero time if that cannot be read. Whether the signature is good is
// found out elsewhere.
func madeAt(signature []byte) time.Time {
	body := packet(signature)
	// Version, type, two algorithms, and the length of the subpackets that are signed.
	if len(body) < 6 || body[0] != signatureVersion {
		return time.Time{}
	}
	signed := body[6:]
	if n := int(binary.BigEndian.Uint16(body[4:])); n <= len(signed) {
		signed = signed[:n]
	}
	for len(signed) > 0 {
		n, head := length(signed)
		if n < 1 || head+n > len(signed) {
			break
		}
		if sub := signed[head : head+n]; sub[0]&0x7f == creationTime && len(sub) == 5 {
			return time.Unix(int64(binary.BigEndian.Uint32(sub[1:])), 0)
		}
		signed = signed[head+n:]
	}
	return time.Time{}
}

// packet returns the content of a signature's packet, the first one in data; nil if that is another packet.
func packet(data []byte) []byte {
	if len(data) < 2 || data[0]&0x80 == 0 {
		return nil
	}
	tag, n, head := data[0]&0x3f, 0, 0
	if data[0]&0x40 != 0 {
		n, head = length(data[1:])
	} else {
		tag = tag >> 2
		if head = 1 << (data[0] & 3); head > 4 || len(data) < 1+head {
			return nil
		}
		for _, b := range data[1 : 1+head] {
			n = n<<8 | int(b)
		}
	}
	if tag != signaturePacket || n < 1 || 1+head+n > len(data) {
		return nil
	}
	return data[1+head : 1+head+n]
}

// length reads a length in the form of new packets and subpackets, and returns by how many bytes it is given; 0 for none.
func length(data []byte) (n, head int) {
	switch {
	case len(data) > 0 && data[0] < 192:
		return int(data[0]), 1
	case len(data) > 1 && data[0] < 255:
		return (int(data[0])-192)<<8 + int(data[1]) + 192, 2
	case len(data) > 4:
		return int(binary.BigEndian.Uint32(data[1:])), 5
	}
	return 0, 0
}
