package config

import (
	"fmt"
	"strings"
	"testing"
)

// TestLiteralSequences: text that looks like a template is told with how it is written.
func TestLiteralSequences(t *testing.T) {
	const percent, dollar = " If it is text, write %%{.", " If ${ is text, write $${."
	flavour := "flavour \"x\" {\n  description = \"%{http_code}\"\n}\n"
	for _, test := range []struct{ file, text, want string }{
		{"features/a/file.template/etc/x", "a\ncurl -w %{http_code}\n", percent},
		{"features/a/file.template/etc/x", "echo ${x%.*}\n", dollar},
		{"features/a/file.template/etc/x", "echo ${@}\n", dollar},
		{"features/a/file.template/etc/x", "echo ${", dollar},
		{"flavours/x.hcl", flavour, percent},
		{"flavours/x.yaml", "flavours:\n  x:\n    distribution: {suite: testing}\n    features: [a]\n    description: 'a %{http_code}'\n", percent},
	} {
		_, got := summaries(t, files("features/a/info.yaml", plainInfo, test.file, test.text), nil)
		if len(got) == 0 || !strings.HasPrefix(got[0], test.file+":") || !strings.HasSuffix(got[0], test.want) {
			t.Errorf("%s with %q: %v", test.file, test.text, got)
		}
	}
	// What is wrong with an expression that is not in a template has nothing to do with it.
	if _, got := summaries(t, files("flavours/x.hcl", "locals {\n  a = )\n}\n"), nil); len(got) == 0 || strings.Contains(got[0], "$${") {
		t.Errorf("an expression: %v", got)
	}
}

// TestOutside: one is one element, and not one elements.
func TestOutside(t *testing.T) {
	one, two := int64(1), int64(2)
	for _, test := range []struct {
		n           int64
		least, most *int64
		want        string
	}{
		{0, &one, nil, "has to have 1 element at least, not 0."},
		{1, &two, nil, "has to have 2 elements at least, not 1."},
		{2, nil, &one, "has to have 1 element at most, not 2."},
		{3, nil, &two, "has to have 2 elements at most, not 3."},
		{2, &one, &one, "has to have 1 element, not 2."},
		{3, &one, &two, "has to have from 1 to 2 elements, not 3."},
		{1, &one, &two, ""},
	} {
		if got := outside(test.n, "elements", test.least, test.most); got != test.want {
			t.Errorf("%s: got %q, want %q", fmt.Sprint(test.n, test.least, test.most), got, test.want)
		}
	}
}
