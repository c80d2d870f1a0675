package diag

import "testing"

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"/usr/share/ä \\ \"x\"":   "/usr/share/ä \\ \"x\"",
		"\x1b[31mred ä":           `\x1b[31mred ä`,
		"a\nb\tc":                 `a\nb\tc`,
		"\xff\xfe":                `\xff\xfe`,
		"fdp.\u202egpj":           `fdp.\u202egpj`,
		"one\u2028two\u2029three": `one\u2028two\u2029three`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
