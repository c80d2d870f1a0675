package config

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// sshKeyForms are the types of keys that sshd takes, and what their inside
// holds after the type: for each field the lengths it can have, none for any
// length (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f).
var sshKeyForms = map[string][][]int{
	"ssh-ed25519":                        {{32}},
	"ssh-mldsa44-ed25519":                {{1312 + 32}}, // testing has it, trixie does not
	"ssh-rsa":                            {{}, {}},
	"ecdsa-sha2-nistp256":                {{8}, {65}},
	"ecdsa-sha2-nistp384":                {{8}, {97}},
	"ecdsa-sha2-nistp521":                {{8}, {133}},
	"sk-ssh-ed25519@openssh.com":         {{32}, {}},
	"sk-ecdsa-sha2-nistp256@openssh.com": {{8}, {65}, {}},
}

// sshKeyOptions are what may be in front of a key (authorized_keys in
// sshd(8)); those with = have a value. sshd passes over a key with another.
var sshKeyOptions = strings.Fields(`agent-forwarding cert-authority command= environment= expiry-time= from= no-agent-forwarding
	no-port-forwarding no-pty no-touch-required no-user-rc no-x11-forwarding permitlisten= permitopen= port-forwarding principals= pty
	restrict tunnel= user-rc verify-required x11-forwarding`)

// longestOption is the length up to which an unknown option is named: a longer one
// may be a piece of a private key.
const longestOption = 24

// sshKeyProblem describes what keeps a line of authorized_keys from working. It
// never repeats what it was given: that may be a private key.
func sshKeyProblem(line string) string {
	const what = "an ssh public key, as in a line of authorized_keys (\"ssh-ed25519 AAAA... name\")"
	switch {
	case strings.Contains(line, "PRIVATE KEY"):
		return what + "; this is a private key, which nobody else may see: give the content of the file beside it that ends in .pub, and make a new pair if anyone else has seen this one."
	case strings.ContainsAny(strings.TrimSpace(line), "\n\r\x00"):
		return what + "; this has more than one line. Write each key as a separate element."
	}
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return what + "; this is empty."
	}
	if len(fields) == 1 && (strings.HasSuffix(line, ".pub") || strings.ContainsAny(line[:1], "/~.")) {
		return what + "; this looks like the name of a file: give what is in it."
	}
	if sshKeyForms[fields[0]] == nil && fields[0] != "ssh-dss" {
		rest, problem := cutKeyOptions(strings.TrimSpace(line))
		if problem != "" {
			return what + "; " + problem
		}
		if fields = strings.Fields(rest); len(fields) == 0 {
			return what + "; this has no key."
		}
	}
	if problem := sshKeyBody(fields); problem != "" {
		return what + "; " + problem
	}
	return ""
}

// cutKeyOptions takes the options off the front of a line whose first word is
// not the type of a key.
func cutKeyOptions(line string) (rest, problem string) {
	end, quoted := len(line), false
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\' && i+1 < len(line):
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted && (line[i] == ' ' || line[i] == '\t'):
			end = i
		}
		if end < len(line) {
			break
		}
	}
	if quoted {
		return "", "an option has no closing quotation mark."
	}
	for _, option := range splitOptions(line[:end]) {
		name, _, valued := strings.Cut(option, "=")
		name = strings.ToLower(name)
		if valued {
			name += "="
		}
		if !slices.Contains(sshKeyOptions, name) {
			if end == len(line) || !strings.ContainsAny(line[:end], ",=") {
				return "", "it begins neither with a type of key nor with an option of sshd." + DidYouMean(name, sshKeyTypes())
			}
			if len(name) > longestOption {
				return "", "sshd does not know one of the options in front of the key."
			}
			return "", fmt.Sprintf("sshd knows no option %q.%s", strings.TrimSuffix(name, "="), DidYouMean(name, sshKeyOptions))
		}
	}
	return line[end:], ""
}

// splitOptions splits at commas outside of quotation marks.
func splitOptions(s string) []string {
	var list []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			list = append(list, s[start:i])
			start = i + 1
		}
	}
	return append(list, s[start:])
}

func sshKeyTypes() []string {
	var types []string
	for name := range sshKeyForms {
		types = append(types, name)
	}
	slices.Sort(types)
	return types
}

// sshKeyBody judges the type of a key and what follows it.
func sshKeyBody(fields []string) string {
	kind := fields[0]
	form := sshKeyForms[kind]
	if form == nil {
		if kind == "ssh-dss" {
			return "sshd no longer accepts keys of type ssh-dss."
		}
		return "the type of the key is not one of those that sshd accepts: " + strings.Join(sshKeyTypes(), ", ") + "." + DidYouMean(kind, sshKeyTypes())
	}
	if len(fields) < 2 {
		return "there is nothing after the type of the key."
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return "what follows the type of the key is not base64: something is missing or changed."
	}
	inner, raw, ok := sshString(raw)
	if !ok {
		return "the key is cut off."
	}
	if string(inner) != kind {
		return fmt.Sprintf("its label is %s, but the key itself is of another type.", kind)
	}
	for _, lengths := range form {
		var field []byte
		if field, raw, ok = sshString(raw); !ok || len(field) == 0 || len(lengths) > 0 && !slices.Contains(lengths, len(field)) {
			return "the key is cut off or damaged."
		}
	}
	if len(raw) > 0 {
		return "the key has additional data at its end."
	}
	return ""
}

// sshString cuts off a string as RFC 4251 writes it: a length and that many
// bytes.
func sshString(raw []byte) (s, rest []byte, ok bool) {
	if len(raw) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(raw)
	if uint64(n) > uint64(len(raw)-4) {
		return nil, nil, false
	}
	return raw[4 : 4+n], raw[4+n:], true
}
