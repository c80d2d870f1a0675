package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	token = `t0ken/with"a+quote&more`
	key   = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAabcdefghijklmnopqrstuvwxyz0123456789ABCDEFG\nsecondline012345\n-----END PRIVATE KEY-----\n"
)

func words() *Words {
	return Find(map[string][]byte{"token": []byte(token + "\n"), "key": []byte(key), "pins": []byte("1234\n5678\n")})
}

// TestForms: a secret is found as it is and as common programs encode it, wherever it
// stands in what they encode.
func TestForms(t *testing.T) {
	w := words()
	quoted, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{
		"plain": "x" + token + "y", "json": string(quoted), "hex": hex.EncodeToString([]byte(token)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(token))),
		"query": url.QueryEscape(token), "path": url.PathEscape(token), "short lines": "1234\n5678",
		"a line of a key": "secondline012345", "base64 of all": base64.StdEncoding.EncodeToString([]byte(key)),
		"base64 in lines": base64.StdEncoding.EncodeToString([]byte(key))[76:152], "the last line": base64.StdEncoding.EncodeToString([]byte(key))[152:],
		"url-safe": base64.URLEncoding.EncodeToString([]byte("~~~?" + token)),
	}
	for _, before := range []string{"", "u", "us", "user:"} {
		said["base64 after "+before] = base64.StdEncoding.EncodeToString([]byte(before + token + "@x"))
	}
	for what, text := range said {
		if w.In(text) == "" || !strings.Contains(w.Mask(text), Mask) {
			t.Errorf("%s: %q is not found; masked it is %q", what, text, w.Mask(text))
		}
		if name, err := w.InFile(strings.NewReader("before\n" + text + "\nafter")); name == "" || err != nil {
			t.Errorf("%s: not found in a file: %q, error %v", what, name, err)
		}
	}
	for _, text := range []string{"", "token", "-----BEGIN PRIVATE KEY-----", token[:len(token)-1], "1234 5678"} {
		if name := w.In(text); name != "" || w.Mask(text) != text {
			t.Errorf("%q is taken for %s, and masked as %q", text, name, w.Mask(text))
		}
	}
	if got := w.Mask("a " + token + " b " + token + "."); got != "a *** b ***." {
		t.Errorf("masked %q", got)
	}
	if name := w.In("= " + token); name != "token" {
		t.Errorf("it is called %q", name)
	}
}

// TestWindows: a secret is found wherever it is in a large file, and however little
// each read gives.
func TestWindows(t *testing.T) {
	w := words()
	for _, at := range []int{0, window - len(token), window - len(token)/2, window - 1, window, 2*window - 3, 3*window - len(token)} {
		text := bytes.Repeat([]byte("t0"), 3*window/2)
		copy(text[at:], token)
		if name, err := w.InFile(bytes.NewReader(text)); name != "token" || err != nil {
			t.Errorf("at %d: %q, error %v", at, name, err)
		}
		copy(text[at:], "T")
		if name, err := w.InFile(bytes.NewReader(text)); name != "" || err != nil {
			t.Errorf("without it: %q, error %v", name, err)
		}
	}
	if name, err := w.InFile(iotest.OneByteReader(strings.NewReader("xx" + token))); name != "token" || err != nil {
		t.Errorf("byte by byte: %q, error %v", name, err)
	}
	if _, err := w.InFile(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("xx" + token)))); err == nil {
		t.Error("an error of reading is lost")
	}
}

// TestNone: without secrets nothing is found.
func TestNone(t *testing.T) {
	w := Find(nil)
	name, err := w.InFile(strings.NewReader(token))
	if w != nil || w.Mask(token) != token || w.In(token) != "" || name != "" || err != nil {
		t.Error("something is found without any secret")
	}
}

// TestProblem: what cannot be found again is not taken.
func TestProblem(t *testing.T) {
	for content, want := range map[string]string{
		"": "is empty.", " \n": "is empty.", "1234567\n": "only 7 bytes", "12345678": "", token: "", key: "", strings.Repeat("x", Longest+1): "more than",
	} {
		if got := Problem([]byte(content)); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%.20q: %q, want %q", content, got, want)
		}
	}
}

// FuzzMask: what is masked holds the secret no more, and text without it stays.
func FuzzMask(f *testing.F) {
	f.Add("some-secret", "before ", " after")
	f.Add("aaaaaaaa", "aaa", "aaaaa")
	f.Add("a\nb\nc\nd\ne", "", "\n")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if Problem([]byte(secret)) != "" {
			return
		}
		w := Find(map[string][]byte{"x": []byte(secret)})
		if w.In(before) == "" && w.Mask(before) != before {
			t.Errorf("%q is masked as %q", before, w.Mask(before))
		}
		masked := w.Mask(before + strings.TrimSpace(secret) + after)
		if strings.Contains(strings.ReplaceAll(masked, Mask, "\n\n"), strings.TrimSpace(secret)) {
			t.Errorf("%q is still there: %q", secret, masked)
		}
	})
}
