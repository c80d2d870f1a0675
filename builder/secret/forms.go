package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
)

// Shortest and Longest bound a secret, in bytes: fewer are found everywhere, and no
// one looks for more.
const Shortest, Longest = 8, 16 << 10

// Problem describes what keeps content from being a secret, as the end of a sentence that
// begins with what holds it; "" if nothing does.
func Problem(content []byte) string {
	switch n := len(bytes.TrimSpace(content)); {
	case len(content) > Longest:
		return fmt.Sprintf("has more than %d bytes, the most that a secret can have.", Longest)
	case n == 0:
		return "is empty."
	case n < Shortest:
		return fmt.Sprintf("has only %d bytes; a secret has %d at least, because shorter ones cannot be told from other text in logs and files.", n, Shortest)
	}
	return ""
}

// boundary is a line around a key in PEM, which all keys share.
var boundary = regexp.MustCompile(`^-----[A-Z0-9 ]+-----$`)

// parts are what tells that a text has something of a secret: each of its lines that
// is long enough, or else all of it.
func parts(content []byte) [][]byte {
	var all [][]byte
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) >= Shortest && !boundary.Match(line) {
			all = append(all, line)
		}
	}
	if all == nil {
		all = append(all, bytes.TrimSpace(content))
	}
	return all
}

// forms are what common programs make of a secret.
func forms(content []byte) [][]byte {
	var all [][]byte
	for _, part := range parts(content) {
		quoted, err := json.Marshal(string(part))
		if err != nil {
			panic(err) // it is a string
		}
		digits := hex.EncodeToString(part)
		all = append(all, part, quoted[1:len(quoted)-1], []byte(digits), bytes.ToUpper([]byte(digits)),
			[]byte(url.QueryEscape(string(part))), []byte(url.PathEscape(string(part))))
		all = append(all, within(part)...)
	}
	for _, whole := range [][]byte{content, bytes.TrimSpace(content)} {
		all = append(all, wrapped(whole)...)
	}
	return all
}

// encodings are those of base64, without padding.
var encodings = []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding}

// within is a text in base64 wherever it begins in what is encoded: the characters
// that depend on it alone.
func within(text []byte) [][]byte {
	var all [][]byte
	for before := range 3 {
		padded := append(make([]byte, before), text...)
		for _, e := range encodings {
			all = append(all, []byte(e.EncodeToString(padded))[(before*8+5)/6:len(padded)*8/6])
		}
	}
	return all
}

// widths are how long the lines are that programs divide base64 into.
var widths = []int{76, 64}

// wrapped is a whole text in base64, in lines.
func wrapped(text []byte) [][]byte {
	var all [][]byte
	encoded := []byte(base64.StdEncoding.EncodeToString(text))
	for _, width := range widths {
		for rest := encoded; len(rest) >= Shortest; rest = rest[min(width, len(rest)):] {
			all = append(all, bytes.TrimRight(rest[:min(width, len(rest))], "="))
		}
	}
	return all
}
