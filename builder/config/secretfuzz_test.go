package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// FuzzSSHKey: a key that works works with a comment and an option, too; and what is
// said of one that does not repeats nothing that could be a private key.
func FuzzSSHKey(f *testing.F) {
	for _, key := range []string{
		realKey, "  " + realKey + " a name ", sshKey("ssh-rsa", 3, 257), sshKey("sk-ecdsa-sha2-nistp256@openssh.com", 8, 65, 4), "ssh-dss AAAA",
		`restrict,command="echo \"a b\", c" ` + realKey, `from="10.0.0.0/8 ` + realKey, "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==", "no-pty=x " + realKey, "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ,x " + realKey,
		"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU", "/root/.ssh/id_ed25519.pub", ",,\" \\",
	} {
		f.Add(key)
	}
	long := regexp.MustCompile(`[A-Za-z0-9+/]{25,}`)
	f.Fuzz(func(t *testing.T, line string) {
		problem := sshKeyProblem(line)
		if problem == "" {
			for _, other := range []string{line + " name", "  " + line} {
				if problem := sshKeyProblem(other); problem != "" {
					t.Errorf("%q works, and of %q is said %s", line, other, problem)
				}
			}
			if sshKeyForms[strings.Fields(line)[0]] != nil {
				if problem := sshKeyProblem("restrict,no-pty " + line); problem != "" {
					t.Errorf("%q works, and with options is said %s", line, problem)
				}
			}
			return
		}
		for _, word := range long.FindAllString(line, -1) {
			if strings.Contains(strings.ToLower(problem), strings.ToLower(word)) {
				t.Errorf("of %q is said %s", line, problem)
			}
		}
	})
}

// secretSamples are secrets that are found in any file.
func secretSamples() map[string]string {
	body := strings.Repeat("Ab1+", 16) + "\n"
	return map[string]string{
		"a private key":        "-----BEGIN OPENSSH PRIVATE KEY-----\n" + body,
		"a private key of PEM": "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + body,
		"one in YAML":          "  -----BEGIN PRIVATE KEY-----\n  " + body,
		"one in JSON":          `{"key": "-----BEGIN EC PRIVATE KEY-----\n` + strings.Repeat("Ab1+", 16) + `\n"}` + "\n",
		"one of PGP":           "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + body,
		"one of SSH2":          "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
		"one of age":           "AGE-SECRET-KEY-1" + strings.Repeat("Q7", 29) + "\n",
		"one of OpenVPN":       "-----BEGIN OpenVPN Static key V1-----\n" + body,
	}
}

// FuzzSecret: a secret is found in a file of any name, whatever stands before and
// after it, with ends of lines of both kinds.
func FuzzSecret(f *testing.F) {
	f.Add("/etc/x", []byte("# a comment\n"), []byte("-----END PRIVATE KEY-----\n"))
	f.Add("/etc/wireguard/wg0.conf", []byte("[Interface]\nPrivateKey = x\n"), []byte("\xff\x00"))
	f.Add("/usr/share/a/b.p12", []byte("0"), []byte("-----BEGIN"))
	f.Add("/etc/bacula/[", []byte("-----BEGIN PRIVATE KEY-----\n"), []byte(""))
	f.Fuzz(func(t *testing.T, path string, before, after []byte) {
		if got := Secret(path, nil); got != "" {
			t.Errorf("an empty file %q is %s", path, got)
		}
		for name, sample := range secretSamples() {
			for _, end := range []string{"\n", "\r\n"} {
				content := fmt.Appendf(nil, "%s%s%s%s", before, end, strings.ReplaceAll(sample, "\n", end), after)
				if Secret(path, content) == "" {
					t.Errorf("%s is not found in %q of %q", name, path, content)
				}
				if Secret(path, bytes.TrimPrefix(content, append(before, end...))) == "" {
					t.Errorf("%s is not found at the beginning of %q", name, path)
				}
			}
		}
	})
}

// FuzzPrivateKey: the quick look before the regular expressions misses no private key.
func FuzzPrivateKey(f *testing.F) {
	const line = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB"
	for _, text := range []string{
		"-----BEGIN OPENSSH PRIVATE KEY-----\n" + line, "-----BEGIN RSA PRIVATE KEY-----  \r\nProc-Type: 4,ENCRYPTED\r\n\r\n" + line,
		"key: |\n  -----BEGIN PRIVATE KEY-----\n  " + line, `{"key": "-----BEGIN PRIVATE KEY-----\n` + line + `"}`, `"-----BEGIN PRIVATE KEY-----\r\n` + line,
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + line, "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", "PRIVATE KEY PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		want := false
		for _, holds := range keyForms {
			want = want || holds(content)
		}
		if got := privateKey(content); got != want {
			t.Errorf("privateKey(%q) = %v", content, got)
		}
	})
}
