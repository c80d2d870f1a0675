package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestDebconfLines(t *testing.T) {
	for text, want := range map[string][]string{
		"a b string c\r\n# note\\\nd e string f\n":            {"a b string c"},
		"a b string c \\\n d\n\n  e f string  \n":             {"a b string c  d", "  e f string  "},
		"  # note\na b \\\nstring c\\":                        {"a b string c"},
		"a b string x # not a comment\n":                      {"a b string x # not a comment"},
		"a b string one\\\\\ntwo\n":                           {`a b string one\two`},
		"a b string one\\ \ntwo two string three\na b seen t": {"a b string one\\ ", "two two string three", "a b seen t"},
	} {
		var got []string
		for _, line := range debconfLines("debconf", []byte(text)) {
			got = append(got, line.Text)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestDebconfMark: what debconf-set-selections would take for a package's name is a
// fault.
func TestDebconfMark(t *testing.T) {
	_, diags := Load(fstest.MapFS{
		"features/a/info.yaml": {Data: []byte("type: element")},
		"features/a/debconf":   {Data: []byte("\uFEFFlocales locales/a string b\n")},
	}, Options{})
	if len(diags) != 1 || diags[0].Summary != "Byte order mark" || diags[0].Subject.Filename != "features/a/debconf" {
		t.Errorf("got %v", diags)
	}
}

// TestDebconfPassword checks that no message can show a password.
func TestDebconfPassword(t *testing.T) {
	files := fstest.MapFS{
		"features/a/info.yaml": {Data: []byte("type: element")},
		"features/a/debconf":   {Data: []byte("db\ndb db/password password swordfish\n")},
	}
	p, diags := Load(files, Options{})
	var shown strings.Builder
	if err := WriteDiagnostics(&shown, p, diags, 0, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Invalid answer", "features/a/debconf line 2", "Secret in the configuration"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("no %q in\n%s", want, &shown)
		}
	}
	if strings.Contains(shown.String(), "swordfish") {
		t.Errorf("a message shows the password:\n%s", &shown)
	}
}
