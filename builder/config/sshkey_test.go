package config

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
)

// sshKey puts a public key together of the type and fields of the lengths given.
func sshKey(kind string, lengths ...int) string {
	var raw []byte
	put := func(b []byte) { raw = append(binary.BigEndian.AppendUint32(raw, uint32(len(b))), b...) }
	put([]byte(kind))
	for _, n := range lengths {
		put(make([]byte, n))
	}
	return kind + " " + base64.StdEncoding.EncodeToString(raw)
}

const realKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEQ8Z0bE8Kf0yE3b8tTgSkYQ1oYpZg2b0mJ1yYwz0k3E"

func TestSSHKeys(t *testing.T) {
	for _, key := range []string{
		realKey, realKey + " name", "  " + realKey + " a long name ",
		sshKey("ssh-rsa", 3, 257), sshKey("ssh-mldsa44-ed25519", 1344), sshKey("ecdsa-sha2-nistp256", 8, 65), sshKey("ecdsa-sha2-nistp384", 8, 97), sshKey("ecdsa-sha2-nistp521", 8, 133),
		sshKey("sk-ssh-ed25519@openssh.com", 32, 4), sshKey("sk-ecdsa-sha2-nistp256@openssh.com", 8, 65, 4),
		`restrict,command="echo \"a b\", c" ` + realKey, `from="10.0.0.0/8,!10.1.1.1",no-pty ` + realKey + " x", "Cert-Authority " + realKey,
	} {
		if problem := sshKeyProblem(key); problem != "" {
			t.Errorf("%s: %s", key, problem)
		}
	}
	body := strings.Fields(realKey)[1]
	for key, want := range map[string]string{
		"":                                     "empty",
		"   ":                                  "empty",
		"ssh-ed25519":                          "nothing after",
		"ssh-ed25519 AAAA... anna":             "not base64",
		"ssh-ed25519 " + body[:len(body)-8]:    "cut off",
		"ssh-ed25519 " + body[:len(body)-1]:    "not base64",
		"ssh-rsa " + body:                      "of another",
		sshKey("ssh-ed25519", 31):              "damaged",
		sshKey("ssh-ed25519", 32, 1):           "additional data",
		sshKey("ssh-rsa", 3):                   "damaged",
		sshKey("ssh-dss", 1):                   "ssh-dss",
		"ssh-ed2551 " + body:                   `Did you mean "ssh-ed25519"?`,
		"restrct,no-pty " + realKey:            `Did you mean "restrict"?`,
		`command="x ` + realKey:                "no closing",
		`command ` + realKey:                   "begins neither",
		"restrict,pty " + body:                 "the type of the key",
		"restrict,pty":                         "no key",
		realKey + "\n" + realKey:               "more than one line",
		"/home/anna/.ssh/id_ed25519.pub":       "name of a file",
		"id_ed25519.pub":                       "name of a file",
		"-----BEGIN OPENSSH PRIVATE KEY-----x": "private key",
		body:                                   "begins neither",
	} {
		problem := sshKeyProblem(key)
		if !strings.Contains(problem, want) {
			t.Errorf("%q: %q does not say %q", key, problem, want)
		}
		if strings.Contains(problem, body) {
			t.Errorf("%q is repeated: %q", key, problem)
		}
	}
}

func TestFormats(t *testing.T) {
	for format, cases := range map[string]map[string]bool{
		"user-name": {"anna": true, "a-b_1": true, "x" + strings.Repeat("y", 30): true, "": true, "x" + strings.Repeat("y", 31): false,
			"root": false, "sudo": false, "_apt": false, "systemd-network": false, "Anna": false, "1a": false, "a b": false, "a:b": false, "a.b": false, "a\n": false, "-a": false},
		"host-name": {"debian": true, "Edge-1.example.org": true, "": true, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
			"a b": false, "a\n": false, "-a": false, "a-": false, "a..b": false, "a_b": false, "ä": false},
		"name": {"debian": true, "my-OS_2.1": true, "": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a/b": false, "..": false, ".a": false,
			"-a": false, "a b": false, "a\n": false, "a\x00": false, "ä": false, "$(x)": false, "a=b": false},
		"ostree-ref": {"debian/testing/amd64": true, "main": true, "": true, "_a/1.2-x": true, strings.Repeat("a", 255): true, strings.Repeat("a", 256): false,
			"/a": false, "a/": false, "a//b": false, "a/../b": false, "../a": false, "a/.b": false, "-a": false, "a/-b": false, "a b": false, "a:b": false, "a^": false,
			"a\nb": false, "a..b": false, "ä": false, strings.Repeat("0a", 32): false},
		"url": {"http://host": true, "https://host:8443/a/b%20c/": true, "http://[::1]:80/x": true, "https://user:secret@host/x": true, "": true,
			"host/x": false, "ftp://host": false, "file:///x": false, "http:///x": false, "http://:80/": false, "http://host:0/": false, "http://host:99999/": false,
			"http://host/a b": false, "http://host/a\nb": false, "http://host/\"": false, "http://host/'": false, "http://host/?x": false, "http://host/#x": false,
			"http://host/%zz": false, "http://user:a/b@host": false, "http://host/ä": true, "http://host/\xff": false},
		"public-url": {"http://host/x": true, "https://user@host/x": true, "file:///media/repo": true, "": true,
			"https://user:secret@host/x": false, "https://:@host/x": false, "file://host/x": false, "file:x": false, "file:///a b": false, "http://host/a\nb": false},
		"line": {"console=ttyS0": true, `dyndbg="file x +p"`: true, "ä b": true, "": true, "a\nb": false, "a\x00": false, "a\tb": false, "a\u2028b": false, "a\x1b[31m": false,
			"\xff": false, strings.Repeat("a", 2001): false},
	} {
		for value, good := range cases {
			if problem := (&Parameter{Format: format}).Problem(value); (problem == "") != good {
				t.Errorf("%s %q: %q", format, value, problem)
			}
		}
	}
	for _, format := range parameterFormats {
		if formats[format] == nil {
			t.Errorf("the format %s is not checked", format)
		}
	}
}
