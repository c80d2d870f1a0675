package config

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// matches compiles its pattern when it is needed: every process of a build has this package, and
// nearly none of them looks for secrets.
func matches(pattern string) func([]byte) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
	return func(content []byte) bool { return compiled().Match(content) }
}

// marked is [matches] for what any file may hold: a whole tree is looked
// through, and looking for a word first takes a twentieth of the time.
func marked(word, pattern string) func([]byte) bool {
	match := matches(pattern)
	return func(content []byte) bool { return bytes.Contains(content, []byte(word)) && match(content) }
}

func begins(magic string) func([]byte) bool {
	return func(content []byte) bool { return bytes.HasPrefix(content, []byte(magic)) }
}

// secretKinds are gone through in order; the first that fits names the file.
// A marker alone is not a secret: programs and manuals mention it. A key has it at the
// beginning of a line, and lines of base64, or headers, below.
var secretKinds = []secretKind{
	{"a host key of ssh", []string{"/etc/ssh/ssh_host_*"}, nil},
	{"a host key of dropbear", []string{"/etc/dropbear/dropbear_*_host_key", "/etc/dropbear-initramfs/dropbear_*_host_key", "/etc/dropbear/initramfs/dropbear_*_host_key"}, nil},
	{"the key of munge", []string{"/etc/munge/munge.key"}, nil},
	{"an identity of NVMe over fabrics", []string{"/etc/nvme/hostid", "/etc/nvme/hostnqn"}, nil},
	{"an identity of iSCSI", []string{"/etc/iscsi/initiatorname.iscsi"}, matches(`(?m)^[ \t]*InitiatorName[ \t]*=[ \t]*\S`)},
	{"the identity of a machine", []string{"/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostid"}, func(c []byte) bool {
		text := string(bytes.TrimSpace(c))
		return text != "" && text != "uninitialized"
	}},
	{"the seed of random numbers", []string{"/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/random-seed", "/boot/loader/random-seed"}, nil},
	{"the key that a machine protects credentials by", []string{"/var/lib/systemd/credential.secret"}, nil},
	{"a key that kernel modules are signed by", []string{"/var/lib/dkms/mok.key", "/var/lib/shim-signed/mok/MOK.priv"}, nil},
	{"a key of WireGuard", []string{"/etc/wireguard/*", "/etc/systemd/network/*", "/usr/lib/systemd/network/*"}, matches(`(?mi)^[ \t]*(PrivateKey|PresharedKey)[ \t]*=[ \t]*[A-Za-z0-9+/]{42,43}=`)},
	{"a key that only its daemon may know", []string{"/etc/bind/*", "/etc/*.key", "/etc/*/*.key"}, matches(`(?m)^[ \t]*secret[ \t]+"?[A-Za-z0-9+/]{8,}=*"?[ \t]*;`)},
	{"a password for the archive", []string{"/etc/apt/auth.conf", "/etc/apt/auth.conf.d/*"}, matches(`(?m)^[^#\n]*\bpassword[ \t]+\S`)},
	{"a file of passwords", []string{"/etc/*htpasswd", "/etc/*/*htpasswd"}, matches(`(?m)^[^#:\s]+:\S`)},
	{"a password for MySQL", []string{"/etc/mysql/debian.cnf"}, matches(`(?m)^[ \t]*password[ \t]*=[ \t]*\S`)},
	{"a private key", nil, privateKey},
	{"a key of OpenVPN", nil, marked("BEGIN OpenVPN", `(?m)^\x{FEFF}?[ \t]*-----BEGIN OpenVPN (Static key V1|tls-crypt-v2 (client|server) key)-----[ \t]*\r?\n[ \t]*[A-Za-z0-9+/=]{16,}`)},
	{"a private key of Tor", nil, begins("== ed25519v1-secret")},
	{"a private key", nil, begins("PuTTY-User-Key-File-")},
	{"a private key", nil, marked("AGE-SECRET-KEY-1", `(?m)^AGE-SECRET-KEY-1[0-9A-Z]{50,}`)},
	{"a private key of DNSSEC", nil, begins("Private-key-format: v")},
	{"a private key of GnuPG", []string{"/*/private-keys-v1.d/*", "/*/*/private-keys-v1.d/*", "/*/*/*/private-keys-v1.d/*", "/*/*/*/*/private-keys-v1.d/*"}, nil},
	{"a private key of minisign or signify", nil, marked("secret key", `^untrusted comment: [^\n]*secret key[^\n]*\n`)},
	{"a key table of Kerberos", []string{"/etc/*keytab", "/etc/*/*keytab", "/var/lib/*/*keytab"}, begins("\x05\x02")},
	{"a key store", nil, javaKeyStore},
	{"the secret of Varnish", []string{"/etc/varnish/secret", "/etc/vinyl-cache/secret"}, nil},
	{"the key of xrdp", []string{"/etc/xrdp/rsakeys.ini"}, matches(`(?m)^[ \t]*pri_exp[ \t]*=[ \t]*\S`)},
	{"a file of passwords", []string{"/etc/bacula/common_default_passwords"}, matches(`(?m)^[ \t]*[A-Z]*PASSW(OR)?D=["']?[^\s"']`)},
	{"a password for Bacula", []string{"/etc/bacula/**/*.conf", "/etc/bareos/**/*.conf"}, matches(`(?mi)^[^#\n]*\bPassword[ \t]*=[ \t]*"?[^\s"@]`)},
	{"a key of Tripwire", []string{"/etc/tripwire/*.key"}, nil},
	{"a password for LDAP", []string{"/etc/ldap/slapd.d/**/*.ldif"}, matches(`(?mi)^(olcRootPW|userPassword)::?[ \t]*\S`)},
	{"the identity of a machine", []string{"/etc/popularity-contest.conf"}, matches(`(?m)^[ \t]*MY_HOSTID=["']?[0-9A-Za-z]`)},
	{"the key of corosync", []string{"/etc/corosync/authkey"}, nil},
	{"the master key of Kerberos", []string{"/etc/krb5kdc/stash", "/var/lib/krb5kdc/stash", "/etc/krb5kdc/.k5.*", "/var/lib/krb5kdc/.k5.*"}, nil},
	{"the cookie of Erlang", []string{"/**/.erlang.cookie"}, nil},
	{"the identity of ZeroTier", []string{"/var/lib/zerotier-one/identity.secret"}, nil},
	{"a key that only its daemon may know", []string{"/etc/knot/*.conf"}, matches(`(?m)^[ \t]*(-[ \t]+)?secret:[ \t]*["']?[A-Za-z0-9+/]{8,}`)},
	{"a key that only its daemon may know", []string{"/etc/**/*.conf"}, marked("algorithm", `(?m)^([ \t]*|[^#/\n]*[{;][ \t]*)secret[ \t]+"?[A-Za-z0-9+/]{8,}=*"?[ \t]*;`)},
	{"a secret of IPsec", []string{"/etc/ipsec.secrets", "/etc/ipsec.d/*.secrets"}, matches(`(?m)^[^#\n]*:[ \t]*((PSK|EAP|NTLM|XAUTH|PIN)[ \t]+[^%\s]|RSA[ \t]*\{|(RSA|ECDSA|PKCS8|P12)[ \t]+\S+[ \t]+"[^"])`)},
	// Debian's own entries have no password: "" and "*".
	{"a password for PPP", []string{"/etc/ppp/chap-secrets", "/etc/ppp/pap-secrets"}, matches(`(?m)^[ \t]*("[^"\n]*"|[^#\s"]+)[ \t]+("[^"\n]*"|[^#\s"]+)[ \t]+("[^"*\n]|[^\s"#*@])`)},
	{"a password for a network", []string{"/etc/NetworkManager/system-connections/*", "/usr/lib/NetworkManager/system-connections/*"}, matches(`(?m)^[ \t]*((psk|([a-z]+-)*password|wep-key[0-3])[ \t]*=[ \t]*\S|(private|preshared)-key[ \t]*=[ \t]*[A-Za-z0-9+/]{43}=)`)},
	{"a password for a network", []string{"/etc/wpa_supplicant/*", "/etc/wpa_supplicant.conf"}, matches(`(?m)^[ \t]*(psk|(sae_)?password|private_key_passwd|wep_key[0-3])[ \t]*=[ \t]*("[^"]|hash:|[0-9a-fA-F]{10})`)},
	{"a password for a server", []string{"/**/.netrc"}, matches(`(?m)^[^#\n]*\bpassword\s+\S`)},
	{"an identity of a PostgreSQL cluster", []string{"/var/lib/postgresql/*/*/global/pg_control"}, nil},
}

// keyForms are those in which a private key can be: alone, in a block of YAML, in JSON, for OpenPGP, and
// as ssh.com's program writes it.
var keyForms = []func([]byte) bool{
	matches(`(?m)^\x{FEFF}?-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----[ \t]*\r?\n([A-Za-z-]+: .*\r?\n|\r?\n)*[A-Za-z0-9+/=]{16,}`),
	matches(`(?m)^[ \t]+-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----[ \t]*\r?\n([ \t]*[A-Za-z-]+: .*\r?\n|[ \t]*\r?\n)*[ \t]*[A-Za-z0-9+/=]{40,}`),
	matches(`"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----(\\r)?\\n[A-Za-z0-9+/=\\]{16,}`),
	matches(`(?m)^-----BEGIN PGP PRIVATE KEY BLOCK-----[ \t]*\r?\n([A-Za-z-]+: .*\r?\n|\r?\n)*[A-Za-z0-9+/=]{16,}`),
	matches(`(?m)^---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----[ \t]*\r?\n`),
}

// privateKey reports whether text has a private key. Programs and manuals mention the first line of one, mostly
// without a line below it. Regular expressions, which take a hundred times as long, are for the rest.
func privateKey(content []byte) bool {
	const mark = "PRIVATE KEY"
	for rest := content; ; {
		i := bytes.Index(rest, []byte(mark))
		if i < 0 {
			return false
		}
		rest = rest[i+len(mark):]
		if hasLineBelow(rest) {
			return slices.ContainsFunc(keyForms, func(holds func([]byte) bool) bool { return holds(content) })
		}
	}
}

// hasLineBelow reports whether what follows the mark of a key ends its line, and a line follows that is not
// something else than a key, or that the form does not need one.
func hasLineBelow(rest []byte) bool {
	end := bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(" BLOCK")), " \t-")
	for _, newline := range []string{"\n", "\r\n", `\n`, `\r\n`} {
		if below, ok := bytes.CutPrefix(end, []byte(newline)); ok {
			ssh := bytes.HasPrefix(rest, []byte(" ----")) // the form of ssh.com
			return ssh || len(below) > 0 && strings.IndexByte(base64Digits+"=\\ \t\r\n-", below[0]) >= 0
		}
	}
	return false
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// javaKeyStore tells a JKS or JCEKS store whose first entry is a private or
// secret key; those with certificates alone are public.
func javaKeyStore(content []byte) bool {
	if len(content) < 16 || !bytes.HasPrefix(content, []byte("\xfe\xed\xfe\xed")) && !bytes.HasPrefix(content, []byte("\xce\xce\xce\xce")) {
		return false
	}
	entries, tag := binary.BigEndian.Uint32(content[8:]), binary.BigEndian.Uint32(content[12:])
	return entries > 0 && tag != 2
}

// secretKind is one kind of what must not be in a system that many machines
// are made of, and that everyone can pull.
type secretKind struct {
	// what follows "is" in a sentence.
	what string
	// paths are patterns of [matchPath] for paths as a machine has them; none
	// means any.
	paths []string
	// holds reports whether the content makes it one; nil: any content but none.
	holds func(content []byte) bool
}
