package ostree

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	// gnuSum is a line of sha256sum: checksum, blank, a blank or *, name.
	gnuSum = regexp.MustCompile(`^([0-9A-Fa-f]{64})[ \t]+\*?(.+)$`)
	// bsdSum is one of sha256sum --tag, BSD's sha256, or openssl dgst.
	bsdSum = regexp.MustCompile(`^SHA(?:2-)?256 ?\((.+)\) ?= ?([0-9A-Fa-f]{64})$`)
	// unescape undoes what sha256sum does to names, in lines that it begins with a
	// backslash.
	unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

// sumOf finds the SHA-256 of the file name in a list of checksums, in whatever
// form programs write them. A list that does not have it, or has two, is an
// error: nobody would make a list to leave out the file it is beside.
func sumOf(list []byte, name string) (string, error) {
	var names []string
	found := ""
	text := strings.TrimPrefix(string(list), "\ufeff")
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimRight(line, " \t")
		escaped := strings.HasPrefix(line, `\`)
		line = strings.TrimPrefix(line, `\`)
		sum, file := "", ""
		if m := gnuSum.FindStringSubmatch(line); m != nil {
			sum, file = m[1], m[2]
		} else if m := bsdSum.FindStringSubmatch(line); m != nil {
			sum, file = m[2], m[1]
		} else {
			continue // a comment, a signature, another algorithm
		}
		if escaped {
			file = unescape.Replace(file)
		}
		if file = path.Clean(file); file != name {
			names = append(names, file)
			continue
		}
		if sum = strings.ToLower(sum); found != "" && found != sum {
			return "", fmt.Errorf("it has two checksums of %s, %s and %s", name, found, sum)
		}
		found = sum
	}
	if found == "" {
		return "", fmt.Errorf("it has no SHA-256 of %s, but %s", name, listed(names))
	}
	return found, nil
}

// listed names the files of a list of checksums, within a sentence.
func listed(names []string) string {
	const most = 5
	switch {
	case len(names) == 0:
		return "no line with a checksum: it is not a list of checksums"
	case len(names) > most:
		return fmt.Sprintf("of %q and %d more", names[:most], len(names)-most)
	}
	return fmt.Sprintf("of %q", names)
}
