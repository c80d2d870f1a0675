package event

import (
	"regexp"
	"slices"
	"strings"
)

// password finds user:password@ in a URL. A password that holds an @, or a slash
// (for which net/url reports the whole URL), is found as well; the number
// of a port is not a password.
var password = regexp.MustCompile(`(//[^/\s:@"'<>\[\]]*:)(?:[^/\s"'<>]*@|[^/\s@"'<>]*[^/\s@"'<>0-9][^\s@"'<>]*@)`)

// Mask returns a text in which *** replaces the passwords of URLs. It is
// applied where text leaves the program: to events, logs, manifests, and all
// that is printed.
func Mask(text string) string {
	if !strings.Contains(text, "//") || !strings.Contains(text, "@") {
		return text
	}
	return password.ReplaceAllString(text, "${1}***@")
}

// MaskAll returns the words as mask gives them; what it is given stays as it is.
func MaskAll(words []string, mask func(string) string) []string {
	out := slices.Clone(words)
	for i, w := range out {
		out[i] = mask(w)
	}
	return out
}

// masking is a Sink before another one that is told no passwords.
type masking struct{ Sink }

func (m masking) Emit(e Event) {
	for _, text := range []*string{&e.Title, &e.Line, &e.Error, &e.Log, &e.Step, &e.Flavour, &e.Unit} {
		*text = Mask(*text)
	}
	e.Argv = MaskAll(e.Argv, Mask)
	m.Sink.Emit(e)
}
