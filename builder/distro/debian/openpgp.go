package debian

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treefs"
)

// apt verifies signatures. What is read here explains why it refuses one: its
// words differ from version to version, and name no key of the keyring.

// pgpKey is a public key with its subkeys.
type pgpKey struct {
	// IDs are the fingerprints of the key and then of its subkeys, in hexadecimal
	// with capital letters.
	IDs   []string
	Users []string
	// Expires is zero for a key that does not.
	Expires time.Time
}

// has reports whether an issuer, a fingerprint or the 16 digits of a key ID, is the
// key or a subkey.
func (k pgpKey) has(issuer string) bool {
	for _, id := range k.IDs {
		if id == issuer || len(issuer) == 16 && keyID(id) == issuer {
			return true
		}
	}
	return false
}

// keyID is the short name of a fingerprint (RFC 9580, 5.5.4).
func keyID(fingerprint string) string {
	switch len(fingerprint) {
	case 40:
		return fingerprint[24:]
	case 64:
		return fingerprint[:16]
	}
	return fingerprint
}

// The packets of OpenPGP that matter here.
const (
	signaturePacket = 2
	secretPacket    = 5
	keyPacket       = 6
	userPacket      = 13
	subkeyPacket    = 14
)

var errPGP = errors.New("not a file of OpenPGP packets")

// readKeyring reads a keyring, armoured or not.
func readKeyring(data []byte) ([]pgpKey, error) {
	if len(data) >= 12 && string(data[8:12]) == "KBXf" {
		return nil, errors.New("a keybox of gpg, which apt cannot read: write the keys with `gpg --export`")
	}
	if err := armourMistake(data); err != nil {
		return nil, err
	}
	var keys []pgpKey
	var created, signed time.Time
	secret := false
	err := pgpPackets(sign.Dearmoured(data), func(tag byte, body []byte) {
		switch {
		case tag == secretPacket:
			secret = true
		case tag == keyPacket:
			keys = append(keys, pgpKey{IDs: []string{fingerprint(body)}})
			created, signed = keyCreated(body), time.Time{}
		case len(keys) == 0:
		case tag == subkeyPacket:
			k := &keys[len(keys)-1]
			k.IDs = append(k.IDs, fingerprint(body))
		case tag == userPacket:
			k := &keys[len(keys)-1]
			k.Users = append(k.Users, strings.ToValidUTF8(string(body), "?"))
		case tag == signaturePacket:
			// The newest signature of a key by itself says until when it is good.
			s, k := readSignature(body), &keys[len(keys)-1]
			if s.certifies() && k.has(s.Issuer) && !s.created.Before(signed) {
				signed, k.Expires = s.created, time.Time{}
				if s.keyLife > 0 {
					k.Expires = created.Add(s.keyLife)
				}
			}
		}
	})
	switch {
	case err != nil:
	case secret:
		err = errors.New("a file with a private key, which is for the archive's owner alone: write the public key with `gpg --export`")
	case len(keys) == 0:
		err = errors.New("a file without a key")
	}
	return keys, err
}

// CheckKeyring describes what is wrong with a file that is to be a keyring.
func (Family) CheckKeyring(file string) error {
	data, err := treefs.ReadFile(file, treefs.MostKeyring)
	if err != nil {
		return err
	}
	if _, err = readKeyring(data); err != nil {
		return fmt.Errorf("that is %w", err)
	}
	return nil
}

// pgpSignature is what a signature says of itself.
type pgpSignature struct {
	// Issuer is a fingerprint, or the 16 digits of a key ID; "" if it says none.
	Issuer string

	kind    byte
	created time.Time
	keyLife time.Duration
}

// certifies reports whether it is a certification of a user of a key.
func (s pgpSignature) certifies() bool { return s.kind >= 0x10 && s.kind <= 0x13 || s.kind == 0x1f }

// readSignatures reads the signatures of a file, armoured or not.
func readSignatures(data []byte) ([]pgpSignature, error) {
	var found []pgpSignature
	err := pgpPackets(sign.Dearmoured(data), func(tag byte, body []byte) {
		if tag == signaturePacket {
			found = append(found, readSignature(body))
		}
	})
	return found, err
}

// readSignature reads a signature packet as far as it is understood.
func readSignature(body []byte) (s pgpSignature) {
	if len(body) < 6 {
		return s
	}
	switch body[0] {
	case 3:
		if len(body) >= 15 {
			s.kind, s.created, s.Issuer = body[2], pgpTime(body[3:7]), upperHex(body[7:15])
		}
	case 4, 6:
		s.kind = body[1]
		rest := body[4:]
		for range 2 { // those that are signed, then the others
			var area []byte
			var ok bool
			if area, rest, ok = subpacketArea(rest, body[0]); !ok {
				return s
			}
			s.subpackets(area)
		}
	}
	return s
}

func subpacketArea(b []byte, version byte) (area, rest []byte, ok bool) {
	size, n := 2, 0
	if version == 6 {
		size = 4
	}
	if len(b) < size {
		return nil, nil, false
	}
	if size == 2 {
		n = int(binary.BigEndian.Uint16(b))
	} else {
		n = int(binary.BigEndian.Uint32(b))
	}
	if n > len(b)-size {
		return nil, nil, false
	}
	return b[size : size+n], b[size+n:], true
}

// subpackets takes what is of interest from an area (RFC 9580, 5.2.3.7).
func (s *pgpSignature) subpackets(b []byte) {
	for len(b) > 0 {
		n, size := int(b[0]), 1
		switch {
		case b[0] == 255 && len(b) >= 5:
			n, size = int(binary.BigEndian.Uint32(b[1:])), 5
		case b[0] >= 192 && len(b) >= 2:
			n, size = (int(b[0])-192)<<8+int(b[1])+192, 2
		}
		if n == 0 || n > len(b)-size {
			return
		}
		kind, value := b[size]&0x7f, b[size+1:size+n]
		b = b[size+n:]
		switch {
		case kind == 2 && len(value) == 4:
			s.created = pgpTime(value)
		case kind == 9 && len(value) == 4:
			s.keyLife = time.Duration(binary.BigEndian.Uint32(value)) * time.Second
		case kind == 16 && len(value) == 8 && s.Issuer == "":
			s.Issuer = upperHex(value)
		case kind == 33 && len(value) > 20:
			s.Issuer = upperHex(value[1:])
		}
	}
}

// fingerprint is that of the body of a key packet, "" for versions that nobody
// signs archives with.
func fingerprint(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	switch body[0] {
	case 4:
		h := sha1.New()
		h.Write([]byte{0x99, byte(len(body) >> 8), byte(len(body))})
		h.Write(body)
		return upperHex(h.Sum(nil))
	case 6:
		h := sha256.New()
		h.Write(binary.BigEndian.AppendUint32([]byte{0x9b}, uint32(len(body))))
		h.Write(body)
		return upperHex(h.Sum(nil))
	}
	return ""
}

func keyCreated(body []byte) time.Time {
	if len(body) < 5 {
		return time.Time{}
	}
	return pgpTime(body[1:5])
}

func pgpTime(b []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint32(b)), 0).UTC() }

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// pgpPackets calls do with each packet (RFC 9580, 4.2). Lengths in parts, which
// keys and signatures do not have, end it.
func pgpPackets(b []byte, do func(tag byte, body []byte)) error {
	for len(b) > 0 {
		head := b[0]
		if head&0x80 == 0 || len(b) < 2 {
			return errPGP
		}
		tag, n, size := head&0x3f, 0, 0
		switch {
		case head&0x40 == 0:
			tag, size = head>>2&0x0f, 1<<(head&3)
			if size == 8 || len(b) < 1+size {
				return errPGP
			}
			for _, digit := range b[1 : 1+size] {
				n = n<<8 | int(digit)
			}
		case b[1] < 192:
			n, size = int(b[1]), 1
		case b[1] < 224 && len(b) >= 3:
			n, size = (int(b[1])-192)<<8+int(b[2])+192, 2
		case b[1] == 255 && len(b) >= 6:
			n, size = int(binary.BigEndian.Uint32(b[2:])), 5
		default:
			return errPGP
		}
		if n > len(b)-1-size {
			return errPGP
		}
		do(tag, b[1+size:1+size+n])
		b = b[1+size+n:]
	}
	return nil
}
