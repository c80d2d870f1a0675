package secret

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
)

// Mask is what replaces a secret in a text.
const Mask = "***"

// Words finds secrets. Nil finds none.
type Words struct {
	// begins has the first two bytes of all forms, and by their first ones, the
	// longest first.
	begins  [1 << 16]bool
	by      map[[Shortest]byte][]form
	longest int
}

type form struct {
	bytes []byte
	name  string
}

// Find returns what finds secrets, given by their names; nil for none.
func Find(secrets map[string][]byte) *Words {
	if len(secrets) == 0 {
		return nil
	}
	w := &Words{by: map[[Shortest]byte][]form{}}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		for _, text := range forms(secrets[name]) {
			if len(text) < Shortest {
				continue
			}
			w.begins[pair(text)] = true
			head := [Shortest]byte(text)
			w.by[head] = append(w.by[head], form{text, name})
			w.longest = max(w.longest, len(text))
		}
	}
	for _, all := range w.by {
		slices.SortStableFunc(all, func(a, b form) int { return cmp.Compare(len(b.bytes), len(a.bytes)) })
	}
	return w
}

func pair(text []byte) int { return int(text[0])<<8 | int(text[1]) }

// next is the first secret in a text: where it begins and ends, and its name. start is
// -1 if there is none.
func (w *Words) next(text []byte) (start, end int, name string) {
	for i := 0; i+Shortest <= len(text); i++ {
		if !w.begins[pair(text[i:])] {
			continue
		}
		for _, f := range w.by[[Shortest]byte(text[i:])] {
			if bytes.HasPrefix(text[i:], f.bytes) {
				return i, i + len(f.bytes), f.name
			}
		}
	}
	return -1, -1, ""
}

// Mask returns a text in which [Mask] replaces secrets.
func (w *Words) Mask(text string) string {
	if w == nil {
		return text
	}
	var b strings.Builder
	for rest := []byte(text); ; {
		start, end, _ := w.next(rest)
		if start < 0 {
			b.Write(rest)
			return b.String()
		}
		b.Write(rest[:start])
		b.WriteString(Mask)
		rest = rest[end:]
	}
}

// In returns the name of a secret that is in a text, "" if there is none.
func (w *Words) In(text string) string {
	if w == nil {
		return ""
	}
	_, _, name := w.next([]byte(text))
	return name
}

// window is how much of a file is looked at together, in bytes.
const window = 1 << 20

// InFile returns the name of a secret that is in what r reads, "" if there is none.
func (w *Words) InFile(r io.Reader) (string, error) {
	if w == nil {
		return "", nil
	}
	text := make([]byte, 0, window+w.longest)
	for {
		n, err := io.ReadFull(r, text[len(text):len(text)+window])
		text = text[:len(text)+n]
		if _, _, name := w.next(text); name != "" {
			return name, nil
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return "", nil
		default:
			return "", err
		}
		kept := copy(text, text[len(text)-min(w.longest, len(text)):])
		text = text[:kept]
	}
}
