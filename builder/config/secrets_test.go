package config

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestSecretsOfFeatures: a feature that brings a secret is told so by check,
// with the file and what to do, and not what is in it.
func TestSecretsOfFeatures(t *testing.T) {
	const body = "MC4CAQAwBQYDK2VwBCIEIDx5u0Jr3V8yXl7tZ0a1cYb7GdQf4kq9T2nWmA6hR1oE\n"
	key := &fstest.MapFile{Data: []byte("-----BEGIN " + "PRIVATE KEY-----\n" + body), Mode: 0o600}
	files := fstest.MapFS{
		"features/a/info.yaml":                           {Data: []byte("type: element\nsecrets: [/etc/meant.key]\n")},
		"features/a/file.include/etc/meant.key":          key,
		"features/a/file.include/etc/a.key":              key,
		"features/a/file.include/etc/munge/munge.key":    {Data: []byte("x")},
		"features/a/file.include/etc/ssh/ssh_config.d/x": {Data: []byte("Host *\n")},
		"features/a/test/key":                            key,
	}
	_, diags := Load(files, Options{})
	var got []string
	for _, d := range diags {
		got = append(got, PlaceOf(*d.Subject)+": "+d.Summary+": "+d.Detail)
		if strings.Contains(d.Detail, "MC4C") {
			t.Errorf("the secret is shown: %s", d.Detail)
		}
	}
	const rest = ", and everyone who gets the commit could read it. Put it on each machine in another way; or, if it is not a secret or may be public, write secrets: "
	want := []string{
		"features/a/file.include/etc/a.key:1: Secret in the system: /etc/a.key is a private key" + rest + "[/etc/a.key] to features/a/info.yaml.",
		"features/a/file.include/etc/munge/munge.key:1: Secret in the system: /etc/munge/munge.key is the key of munge" + rest + "[/etc/munge/munge.key] to features/a/info.yaml.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSecretKindsCompile: the patterns are compiled when they are needed, which none may be too
// late for.
func TestSecretKindsCompile(t *testing.T) {
	for _, kind := range secretKinds {
		if kind.holds != nil {
			kind.holds([]byte("PRIVATE KEY, BEGIN OpenVPN, AGE-SECRET-KEY-1, secret key, algorithm"))
		}
	}
}
