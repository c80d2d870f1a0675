package event

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestCleanLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"plain ~ text":         "plain ~ text",
		"\x1b[1;31mred\x1b[0m": "red",
		"\x1b]0;title\abody":   "body",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b]0;never ended":                       "0;never ended",
		"\x1b(Bset":                                "set",
		"\x1bcreset":                               "reset",
		"lone\x1b":                                 "lone",
		"\u009b2Jc1":                               "c1",
		"\x1b[2\x07x":                              "x",
		"10%\r50%\r100%\r\n":                       "100%",
		"a\tb":                                     "a    b",
		"bell\a back\b null\x00 del\x7f":           "bell back null del",
		"bad \xff\xfe bytes":                       "bad \uFFFD\uFFFD bytes",
		"right\u202eto left\u200b":                 "rightto left",
		"two\u2028lines\u00a0":                     "two lines ",
		"Grüße 日本語 e\u0301":                        "Grüße 日本語 e\u0301",
	} {
		if got := CleanLine(in); got != want {
			t.Errorf("CleanLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcd…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, ""},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"e\u0301e\u0301", 2, "e\u0301e\u0301"},
	} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
	if got := cut("a"+strings.Repeat("\u0301", 9999), 10); len(got) > 200 {
		t.Errorf("a heap of combining characters was cut to %d bytes only", len(got))
	}
}

func FuzzCleanLine(f *testing.F) {
	for _, s := range []string{"", "a\x1b[1mb", "\x1b]0;t\a", "\x1b]0;t\x1b\\x", "\x1bP\x1b", "1\r2\r", "\xc2", "日\u0301", "\u009b", "\x1b[", "\x1b#8"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		got := CleanLine(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q: not UTF-8: %q", s, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q: %U left in %q", s, r, got)
			}
		}
		if again := CleanLine(got); again != got {
			t.Fatalf("%q: cleaned %q, again %q", s, got, again)
		}
		if n = n & 0xff; n > 0 && textWidth(cut(got, n)) > n {
			t.Fatalf("%q cut to %d cells takes %d", got, n, textWidth(cut(got, n)))
		}
	})
}

func TestFormat(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 14_300_000: "14.3 MB", 999_999: "1.0 MB", 2_500_000_000: "2.5 GB", 1 << 62: "4.6 EB",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("FormatBytes(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 34200 * time.Millisecond: "34.2s", 59960 * time.Millisecond: "1m00s",
		123 * time.Second: "2m03s", time.Hour - time.Millisecond: "1h00m", 62 * time.Minute: "1h02m",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%d) = %q, want %q", d, got, want)
		}
	}
}
