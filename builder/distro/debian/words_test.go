package debian

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestExpandWords(t *testing.T) {
	lines := []string{
		"systemd",
		"linux-image-$arch",
		"# a comment",
		"vim # and one behind",
		"$(if [ $arch = amd64 ]; then echo syslinux; fi)",
		"$(if [ $arch = arm64 ]; then echo u-boot; fi)",
		"lib{a,b}-dev",
		`"quoted"`,
		"two words",
		"no-*-globs",
		"c#sharp",
	}
	want := [][]string{
		{"systemd"}, {"linux-image-amd64"}, {}, {"vim"}, {"syslinux"}, {}, {"liba-dev", "libb-dev"}, {"quoted"}, {"two", "words"}, {"no-*-globs"}, {"c#sharp"},
	}
	got, err := ExpandWords(t.Context(), "amd64", lines)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestExpandWordsNamesTheLine(t *testing.T) {
	for line, want := range map[string]string{
		"lib$unset":  "unset: unbound variable",
		"$(":         "",
		"a > /tmp/x": "restricted",
	} {
		_, err := ExpandWords(t.Context(), "amd64", []string{"first", line, "last"})
		var bad *WordsError
		if !errors.As(err, &bad) {
			t.Errorf("%q: got %v, want a fault", line, err)
			continue
		}
		if bad.Line != 1 || !strings.Contains(bad.Message, want) {
			t.Errorf("%q: got line %d, %q", line, bad.Line, bad.Message)
		}
	}
}
