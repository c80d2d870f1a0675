package lint

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

const body = "MC4CAQAwBQYDK2VwBCIEIDx5u0Jr3V8yXl7tZ0a1cYb7GdQf4kq9T2nWmA6hR1oE\n"

// pem is a key whose marker does not stand at the beginning of a line of this
// file, where it would be taken for one.
func pem(kind string) string {
	return "-----BEGIN " + kind + "-----\n" + body + "-----END " + kind + "-----\n"
}

// secretsIn lints a tree that has nothing but the given files, and returns what
// is reported and what is warned of.
func secretsIn(t *testing.T, files map[string]string, allowed ...AllowedSecret) (faults, warnings []string) {
	t.Helper()
	tree := t.TempDir()
	for name, content := range files {
		treetest.Write(t, filepath.Join(tree, name), content)
	}
	say := func(to *[]string) func(string, ...any) {
		return func(format string, args ...any) { *to = append(*to, fmt.Sprintf(format, args...)) }
	}
	l := secretLint{tree: tree, packages: dpkg, dir: filepath.Join(tree, dpkg.CommittedDir()), allowed: allowed, warn: say(&warnings), report: say(&faults)}
	if err := l.run(); err != nil {
		t.Fatal(err)
	}
	return faults, warnings
}

// TestSecretKinds has every kind of secret at a place where it is found in
// practice, and beside it what only looks like one.
func TestSecretKinds(t *testing.T) {
	for name, content := range map[string]string{
		"usr/etc/ssl/private/pkcs8.key":                                  pem("PRIVATE KEY"),
		"usr/etc/ssl/private/pkcs1.key":                                  "Subject: x\n\n" + pem("RSA PRIVATE KEY"),
		"usr/lib/x/ec.pem":                                               pem("EC PARAMETERS") + pem("EC PRIVATE KEY"),
		"opt/x/dsa":                                                      pem("DSA PRIVATE KEY"),
		"usr/share/encrypted":                                            pem("ENCRYPTED PRIVATE KEY"),
		"usr/share/encrypted1":                                           "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,00\r\n\r\n" + body,
		"usr/share/factory/var/roothome/.ssh/id_x":                       pem("OPENSSH PRIVATE KEY"),
		"usr/share/factory/var/lib/pgp/key.asc":                          "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + body,
		"usr/share/ssh2":                                                 "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n",
		"usr/share/putty.ppk":                                            "PuTTY-User-Key-File-3: ssh-ed25519\n",
		"usr/share/age":                                                  "# created: x\nAGE-SECRET-KEY-1" + strings.Repeat("Q", 58) + "\n",
		"usr/share/minisign.key":                                         "untrusted comment: minisign encrypted secret key\nxxx\n",
		"usr/etc/ssh/ssh_host_rsa_key":                                   "anything",
		"usr/etc/ssh/ssh_host_rsa_key.pub":                               "anything",
		"usr/etc/dropbear/dropbear_rsa_host_key":                         "\x00\x00\x00\x07ssh-rsa",
		"usr/etc/munge/munge.key":                                        "\x01\x02\x03",
		"usr/etc/nvme/hostid":                                            "2cd2c43b-a90a-45c1-a8cd-86b33ab273b5\n",
		"usr/etc/nvme/hostnqn":                                           "nqn.2014-08.org.nvmexpress:uuid:x\n",
		"usr/etc/iscsi/initiatorname.iscsi":                              "## x\nInitiatorName=iqn.1993-08.org.debian:01:7e4f545a63e6\n",
		"usr/etc/machine-id":                                             "0123456789abcdef0123456789abcdef\n",
		"usr/share/factory/var/lib/dbus/machine-id":                      "0123456789abcdef0123456789abcdef\n",
		"usr/share/factory/var/lib/systemd/random-seed":                  "\x00\x01",
		"usr/share/factory/var/lib/systemd/credential.secret":            "\x00\x01",
		"usr/share/factory/var/lib/dkms/mok.key":                         "\x30\x82",
		"usr/etc/wireguard/wg0.conf":                                     "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
		"usr/etc/systemd/network/wg.netdev":                              "[WireGuardPeer]\nPresharedKey=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
		"usr/etc/bind/rndc.key":                                          "key \"rndc-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"yAnz5TF+lXXJte14tji3zlM=\";\n};\n",
		"usr/etc/bind/Kx.private":                                        "Private-key-format: v1.3\n",
		"usr/etc/krb5.keytab":                                            "\x05\x02\x00\x00",
		"usr/etc/nginx/.htpasswd":                                        "anna:$apr1$x$y\n",
		"usr/etc/apt/auth.conf.d/x.conf":                                 "machine x login y password z\n",
		"usr/etc/mysql/debian.cnf":                                       "[client]\npassword = abc\n",
		"usr/share/keys.p12":                                             "\x30\x82\x01",
		"usr/share/keys.jks":                                             "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01xxxx",
		"usr/share/factory/var/lib/x/private-keys-v1.d/1.key":            "Key: (",
		"usr/share/indented.yaml":                                        "key: |\n  -----BEGIN " + "PRIVATE KEY-----\n  " + body,
		"usr/lib/bom.pem":                                                "\ufeff" + pem("PRIVATE KEY"),
		"usr/etc/gcp.json":                                               "{\"private_key\": \"" + strings.ReplaceAll(pem("PRIVATE KEY"), "\n", "\\n") + "\"}\n",
		"usr/etc/openvpn/ta.key":                                         "#\n-----BEGIN OpenVPN " + "Static key V1-----\n6acef03f62675b4b1bbd03e53b187727\n",
		"usr/etc/openvpn/x.conf":                                         "<tls-auth>\n-----BEGIN OpenVPN " + "Static key V1-----\n6acef03f62675b4b1bbd03e53b187727\n",
		"usr/share/factory/var/lib/tor/x/hs_ed25519_secret_key":          "== ed25519v1-secret: type0 ==\x00\x00\x00x",
		"usr/etc/varnish/secret":                                         "0123\n",
		"usr/etc/vinyl-cache/secret":                                     "0123\n",
		"usr/etc/xrdp/rsakeys.ini":                                       "[keys]\npub_exp=0x01\npri_exp=0x02,0x03\n",
		"usr/etc/bacula/common_default_passwords":                        "# made\nDIRPASSWD=abc\n",
		"usr/etc/bacula/bacula-fd.conf":                                  "Director {\n  Password = \"abc\"\n}\n",
		"usr/etc/tripwire/site.key":                                      "\x01",
		"usr/etc/ldap/slapd.d/cn=config/olcDatabase={1}mdb.ldif":         "olcRootPW:: e1NTSEF9\n",
		"usr/etc/popularity-contest.conf":                                "PARTICIPATE=\"no\"\nMY_HOSTID=\"0123456789abcdef\"\n",
		"usr/etc/corosync/authkey":                                       "\x01",
		"usr/share/factory/var/lib/krb5kdc/stash":                        "\x05",
		"usr/etc/krb5kdc/stash":                                          "\x05",
		"usr/share/factory/var/lib/rabbitmq/.erlang.cookie":              "ABC",
		"usr/share/factory/var/lib/zerotier-one/identity.secret":         "a:0:b:c",
		"usr/etc/knot/knot.conf":                                         "key:\n  - id: x\n    secret: yAnz5TF+lXXJte14tji3zlM=\n",
		"usr/etc/named.conf":                                             "key x { algorithm hmac-sha256; secret \"yAnz5TF+lXXJte14tji3zlM=\"; };\n",
		"usr/etc/a/b/c/dhcpd.conf":                                       "key x {\n algorithm hmac-md5;\n secret yAnz5TF+lXXJte14tji3zlM=;\n}\n",
		"usr/etc/ipsec.secrets":                                          "# x\n%any : PSK \"abc\"\n",
		"usr/etc/ipsec.d/x.secrets":                                      "anna : EAP abc\n",
		"usr/etc/ppp/chap-secrets":                                       "# client server secret\nanna * abc *\n",
		"usr/etc/ppp/pap-secrets":                                        "\"anna\"\t*\t\"abc\"\n",
		"usr/etc/NetworkManager/system-connections/x.nmconnection":       "[wifi-security]\npsk=abc\n",
		"usr/etc/NetworkManager/system-connections/v":                    "[vpn-secrets]\npassword=abc\n",
		"usr/etc/wpa_supplicant/wpa_supplicant-wlan0.conf":               "network={\n\tpsk=\"abcdefgh\"\n}\n",
		"usr/share/factory/var/roothome/.netrc":                          "machine x\nlogin y\npassword z\n",
		"usr/etc/wireguard/private":                                      "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
		"usr/share/factory/var/lib/postgresql/17/main/global/pg_control": "\x01",
	} {
		faults, _ := secretsIn(t, map[string]string{name: content})
		if len(faults) != 1 || !strings.HasPrefix(faults[0], machine.Path(name)+" is ") {
			t.Errorf("%s: %q", name, faults)
		}
	}
	for name, content := range map[string]string{
		"usr/share/doc/x/README":                                   "A key begins with\n-----BEGIN PRIVATE KEY-----\nand goes on.\n",
		"usr/lib/x.py":                                             "KEY = '-----BEGIN PRIVATE KEY-----\\n'\n" + body,
		"usr/bin/x":                                                "\x7fELF\x00-----BEGIN PRIVATE KEY-----\x00-----END\x00",
		"usr/lib/python3/__pycache__/x.pyc":                        pem("PRIVATE KEY"),
		"usr/etc/ssl/certs/x.pem":                                  pem("CERTIFICATE") + pem("PUBLIC KEY"),
		"usr/etc/machine-id":                                       "",
		"usr/etc/hostid":                                           "",
		"usr/etc/iscsi/initiatorname.iscsi":                        "# none yet\nGenerateName=yes\n",
		"usr/etc/wireguard/wg0.conf":                               "[Interface]\nPostUp = wg set %i private-key /etc/wireguard/key\n",
		"usr/etc/chrony/chrony.keys":                               "#1 MD5 AVeryLongKey\n",
		"usr/etc/apt/auth.conf.d/x":                                "# machine x login y password z\n",
		"usr/share/x/cacerts":                                      "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02xxxx",
		"usr/share/factory/var/lib/dkms/mok.pub":                   "\x30\x82",
		"usr/share/big":                                            strings.Repeat("x\n", 1<<19) + pem("PRIVATE KEY"),
		"usr/share/factory/var/home/a/.ssh/id.pub":                 "ssh-ed25519 AAAA\n",
		"usr/share/doc/x/indented":                                 "Write\n  -----BEGIN PRIVATE KEY-----\n  the key\n",
		"usr/etc/template.json":                                    "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n...\\n\"}\n",
		"usr/etc/openvpn/x.conf":                                   "# -----BEGIN OpenVPN Static key V1-----\n# ...\n",
		"usr/share/factory/var/lib/tor/x/hs_ed25519_public_key":    "== ed25519v1-public: type0 ==\x00",
		"usr/share/varnish/secret":                                 "0123\n",
		"usr/etc/xrdp/rsakeys.ini":                                 "[keys]\npri_exp=\n",
		"usr/etc/bacula/common_default_passwords":                  "# DIRPASSWD=abc\nDIRPASSWD=\n",
		"usr/etc/bacula/bacula-fd.conf":                            "# Password = \"abc\"\n  Password = \"@PASSWORD@\"\n",
		"usr/etc/tripwire/twpol.txt":                               "x",
		"usr/etc/ldap/slapd.d/cn=config.ldif":                      "# olcRootPW: x\nolcRootDN: cn=admin\n",
		"usr/etc/popularity-contest.conf":                          "PARTICIPATE=\"no\"\n#MY_HOSTID=\"ab\"\nMY_HOSTID=\"\"\n",
		"usr/etc/corosync/corosync.conf":                           "totem {\n}\n",
		"usr/etc/krb5kdc/kdc.conf":                                 "key_stash_file = /etc/krb5kdc/stash\n",
		"usr/share/factory/var/lib/rabbitmq/erlang.cookie":         "ABC",
		"usr/share/factory/var/lib/zerotier-one/identity.public":   "a:0:b",
		"usr/etc/knot/knot.conf":                                   "#    secret: yAnz5TF+lXXJte14tji3zlM=\n",
		"usr/share/doc/bind/named.conf":                            "key x { algorithm hmac-sha256; secret \"yAnz5TF+lXXJte14tji3zlM=\"; };\n",
		"usr/etc/named.conf":                                       "// key x { algorithm hmac-sha256; secret \"yAnz5TF+lXXJte14tji3zlM=\"; };\n",
		"usr/etc/ipsec.secrets":                                    "# %any : PSK \"abc\"\n: RSA /etc/ipsec.d/private/x.pem\ninclude /var/lib/x\n",
		"usr/etc/ppp/chap-secrets":                                 "# client server secret\n",
		"usr/etc/ppp/pap-secrets":                                  "*\thostname\t\"\"\t*\nguest\thostname\t\"*\"\t-\n",
		"usr/etc/NetworkManager/system-connections/x.nmconnection": "[wifi-security]\npsk-flags=1\n#psk=abc\n",
		"usr/etc/wpa_supplicant/x.conf":                            "network={\n#psk=\"abcdefgh\"\npsk=ext:name\n}\n",
		"usr/share/factory/var/roothome/.netrc":                    "machine x login y\n# password z\n",
		"usr/etc/wireguard/publickey":                              "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
		"usr/share/factory/var/lib/postgresql/.psqlrc":             "x",
	} {
		if faults, _ := secretsIn(t, map[string]string{name: content}); len(faults) > 0 {
			t.Errorf("%s: %q", name, faults)
		}
	}
	machineID := map[string]string{"usr/etc/machine-id": "uninitialized\n"}
	if faults, _ := secretsIn(t, machineID); len(faults) > 0 {
		t.Errorf("a machine-id to be filled in: %q", faults)
	}
}

// TestSecretsThatPackagesShip: what anybody can download is not a secret, but what
// was made of it is.
func TestSecretsThatPackagesShip(t *testing.T) {
	key, conf := pem("RSA PRIVATE KEY"), pem("EC PRIVATE KEY")
	files := map[string]string{
		"usr/share/tests/key.pem":                       key,
		"usr/etc/tests/key.pem":                         conf,
		"usr/share/factory/var/lib/copy":                key,
		"usr/lib/sysimage/dpkg/info/tests:all.md5sums":  fmt.Sprintf("%x  usr/share/tests/key.pem\n", md5.Sum([]byte(key))),
		"usr/lib/sysimage/dpkg/status":                  fmt.Sprintf("Package: tests\nConffiles:\n /etc/tests/key.pem %x\n", md5.Sum([]byte(conf))),
		"usr/lib/sysimage/dpkg/info/tests:all.postinst": "",
	}
	if faults, _ := secretsIn(t, files); len(faults) > 0 {
		t.Errorf("what packages ship is reported: %q", faults)
	}
	files["usr/share/tests/key.pem"] = pem("PRIVATE KEY")
	if faults, _ := secretsIn(t, files); len(faults) != 1 {
		t.Errorf("another key in the place of one that a package ships: %q", faults)
	}
}

func TestSecretsNameTheirMaker(t *testing.T) {
	info := "usr/lib/sysimage/dpkg/info/"
	files := map[string]string{
		"usr/etc/munge/munge.key":  "x",
		"usr/etc/tool/made.key":    pem("PRIVATE KEY"),
		"usr/etc/other/script.key": pem("PRIVATE KEY"),
		info + "munge.postinst":    "test -e /etc/munge/munge.key || mungekey\n",
		info + "tool:amd64.list":   "/.\n/etc\n/etc/tool\n",
	}
	faults, _ := secretsIn(t, files)
	for i, want := range []string{
		"/etc/munge/munge.key is the key of munge, and would be the same on all machines: made when the package munge was installed",
		"/etc/other/script.key is a private key, and would be the same on all machines: no package mentions it, so a feature made or copied it",
		"/etc/tool/made.key is a private key, and would be the same on all machines: made when the package tool was installed",
	} {
		if i >= len(faults) || !strings.HasPrefix(faults[i], want) {
			t.Errorf("want %q among\n%s", want, strings.Join(faults, "\n"))
		}
	}
}

func TestSecretsThatAreMeant(t *testing.T) {
	faults, warnings := secretsIn(t, map[string]string{"usr/etc/a.key": pem("PRIVATE KEY")}, AllowedSecret{Path: "/etc/a.key", Feature: "f"}, AllowedSecret{Path: "/etc/gone", Feature: "g"})
	if len(faults) > 0 {
		t.Errorf("it is reported: %q", faults)
	}
	slices.Sort(warnings)
	if len(warnings) != 2 || !strings.Contains(warnings[0], "/etc/a.key is a private key") || !strings.Contains(warnings[0], "feature f") || !strings.Contains(warnings[1], "feature g names /etc/gone") {
		t.Errorf("the warnings are %q", warnings)
	}
}

// TestSecretsThatScriptsLeave: what a script was lent looks like no secret that is known,
// and is not said to be missing where the feature may leave it.
func TestSecretsThatScriptsLeave(t *testing.T) {
	faults, warnings := secretsIn(t, map[string]string{"usr/etc/vpn.token": "hidden-word-1\n", "usr/etc/other": "hidden-word-1\n"},
		AllowedSecret{Path: "/etc/vpn.token", Feature: "vpn", Lent: true}, AllowedSecret{Path: "/etc/none", Feature: "vpn", Lent: true}, AllowedSecret{Path: "/etc/other", Feature: "f"})
	slices.Sort(warnings)
	for i, want := range []string{
		"/etc/vpn.token is a file that scripts may have left a secret in, and everyone who gets the system can read it: feature vpn lists it in secrets",
		"feature f names /etc/other among its secrets, but there is no secret at that place", "feature vpn names /etc/none among its secrets, but there is no secret at that place",
	} {
		if len(faults) > 0 || len(warnings) != 3 || warnings[i] != want {
			t.Errorf("faults %q, warnings %q, want %s", faults, warnings, want)
		}
	}
}

func TestExtensionsKeepSecrets(t *testing.T) {
	task := &task.Task{Distro: debian.Family{}, Tree: t.TempDir(), Log: os.Stderr}
	out := t.TempDir()
	treetest.Write(t, filepath.Join(out, "usr/share/k"), pem("PRIVATE KEY"))
	if err := Extension(out, task, nil); err == nil || !strings.Contains(err.Error(), "/usr/share/k is a private key") {
		t.Errorf("error %v", err)
	}
	if err := Extension(out, task, []AllowedSecret{{Path: "/usr/share/k", Feature: "f"}}); err != nil || len(task.Warnings) != 1 {
		t.Errorf("error %v, warnings %q", err, task.Warnings)
	}
}
