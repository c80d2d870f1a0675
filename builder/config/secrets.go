package config

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// MostSecret is how long a file may be, in bytes, to be looked at for secrets:
// keys are small, and a tree has hundreds of megabytes.
const MostSecret = 1 << 20

// secretKind is one kind of what must not be in a system that many machines
// are made of, and that everyone can pull.
type secretKind struct {
	// what follows "is" in a sentence.
	what string
	// paths are patterns of path.Match for paths as a machine has them; none
	// stands for any.
	paths []string
	// holds says whether the content makes it one; nil: any content but none.
	holds func(content []byte) bool
}

func matches(pattern string) func([]byte) bool {
	return regexp.MustCompile(pattern).Match
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
// A marker alone is none: programs and manuals speak of it. A key has it at the
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
	{"a private key", nil, marked("PRIVATE KEY", `(?m)^-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----[ \t]*\r?\n([A-Za-z-]+: .*\r?\n|\r?\n)*[A-Za-z0-9+/=]{16,}`)},
	{"a private key", nil, marked("PRIVATE KEY", `(?m)^-----BEGIN PGP PRIVATE KEY BLOCK-----[ \t]*\r?\n([A-Za-z-]+: .*\r?\n|\r?\n)*[A-Za-z0-9+/=]{16,}`)},
	{"a private key", nil, marked("PRIVATE KEY", `(?m)^---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----[ \t]*\r?\n`)},
	{"a private key", nil, begins("PuTTY-User-Key-File-")},
	{"a private key", nil, marked("AGE-SECRET-KEY-1", `(?m)^AGE-SECRET-KEY-1[0-9A-Z]{50,}`)},
	{"a private key of DNSSEC", nil, begins("Private-key-format: v")},
	{"a private key of GnuPG", []string{"/*/private-keys-v1.d/*", "/*/*/private-keys-v1.d/*", "/*/*/*/private-keys-v1.d/*", "/*/*/*/*/private-keys-v1.d/*"}, nil},
	{"a private key of minisign or signify", nil, marked("secret key", `^untrusted comment: [^\n]*secret key[^\n]*\n`)},
	{"a key table of Kerberos", []string{"/etc/*keytab", "/etc/*/*keytab", "/var/lib/*/*keytab"}, begins("\x05\x02")},
	{"a key store", nil, javaKeyStore},
}

// keyStoreNames are how names of files end that are PKCS #12 key stores: their
// first bytes are those of many things.
var keyStoreNames = []string{".p12", ".pfx", ".pkcs12"}

// Secret says what makes a file of a system a secret, as it follows "is", or ""
// if it is none that is known. The path is that on a machine, absolute.
func Secret(file string, content []byte) string {
	if len(content) == 0 {
		return ""
	}
	for _, ending := range keyStoreNames {
		if strings.HasSuffix(file, ending) && content[0] == 0x30 {
			return "a key store"
		}
	}
	for _, kind := range secretKinds {
		fits := len(kind.paths) == 0
		for _, pattern := range kind.paths {
			if ok, _ := path.Match(pattern, file); ok {
				fits = true
			}
		}
		if fits && (kind.holds == nil || kind.holds(content)) {
			return kind.what
		}
	}
	return ""
}

// javaKeyStore tells a JKS or JCEKS store whose first entry is a private or
// secret key; those with certificates alone are public.
func javaKeyStore(content []byte) bool {
	if len(content) < 16 || !bytes.HasPrefix(content, []byte("\xfe\xed\xfe\xed")) && !bytes.HasPrefix(content, []byte("\xce\xce\xce\xce")) {
		return false
	}
	entries, tag := binary.BigEndian.Uint32(content[8:]), binary.BigEndian.Uint32(content[12:])
	return entries > 0 && tag != 2
}

// checkFiles finds secrets among the files that a feature brings.
func (l *loader) checkFiles(f *Feature) {
	root := path.Join(f.Dir, "file.include")
	allowed := map[string]bool{}
	for _, s := range f.Secrets {
		allowed[s.Text] = true
	}
	err := fs.WalkDir(l.fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > MostSecret {
			return err
		}
		content, err := readAll(l.fsys, name)
		if err != nil {
			return err
		}
		file := strings.TrimPrefix(name, root)
		if what := Secret(file, content); what != "" && !allowed[file] {
			l.say(fault(fileStart(name), "Secret in the system", "%s is %s, and everyone who gets the commit could read it. Bring it to each machine in another way; or, if it is none or all the world may know it, write secrets: [%s] to %s/info.yaml.", file, what, file, f.Dir))
		}
		return nil
	})
	if err != nil {
		l.say(fault(fileStart(root), "Cannot read folder", "%s.", err))
	}
}

// readAll reads a file without keeping it for messages: a message would show
// the secret.
func readAll(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
