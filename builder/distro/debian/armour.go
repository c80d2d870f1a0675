package debian

import (
	"bytes"
	"errors"
)

// armoured reports whether packets are written as text.
func armoured(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN PGP ")) }

// armourMistake explains why apt cannot read the keys of an armoured file: apt-key(8)
// looks for its lines with awk, and an apt that finds no key in a keyring says only
// that signatures could not be verified. What is not armoured has no such mistake.
func armourMistake(data []byte) error {
	const begin = "-----BEGIN PGP "
	switch {
	case !armoured(data):
		return nil
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return errors.New("a text that begins with a byte order mark, which apt does not read: save it without one")
	case bytes.Contains(data, []byte("\r")):
		return errors.New("a text whose lines end with CR and LF, which apt does not read: save it with LF alone, as dos2unix(1) does")
	}
	for i, part := range bytes.Split(data, []byte(begin)) {
		if i == 0 {
			if len(part) > 0 && part[len(part)-1] != '\n' {
				return errors.New("an indented text, which apt does not read: the line with " + begin + "has to begin with it")
			}
			continue
		}
		block, _, ended := bytes.Cut(part, []byte("\n-----END PGP "))
		if !ended {
			return errors.New("a text whose end is missing: there is no line that begins with -----END PGP")
		}
		if !bytes.Contains(block, []byte("\n\n")) {
			return errors.New("a text without the empty line that has to come before the key itself")
		}
	}
	return nil
}
