//go:build e2e

package e2e

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// weak is minimal with every door open that base has a parameter for.
var weak = strings.Replace(minimal, "  set \"ostreeRepo\"",
	"  set \"base\" {\n    local_names = [\"llmnr\", \"mdns\"]\n    x11_forwarding = true\n    ptrace_scope = \"0\"\n  }\n  set \"ostreeRepo\"", 1)

// doors are the settings that programs of the machine really read: by script,
// then without and with the parameters.
var doors = map[string][2]string{
	// A host key, without which sshd does not even say.
	"ssh-keygen -A > /dev/null; mkdir -p /run/sshd; sshd -T | tr A-Z a-z | grep -Ex '(x11forwarding|passwordauthentication|kbdinteractiveauthentication|permitrootlogin|permitemptypasswords) .*' | sort | xargs": {
		"kbdinteractiveauthentication no passwordauthentication no permitemptypasswords no permitrootlogin prohibit-password x11forwarding no",
		"kbdinteractiveauthentication no passwordauthentication no permitemptypasswords no permitrootlogin prohibit-password x11forwarding yes",
	},
	"command -v xauth || echo none": {"none", "/usr/bin/xauth"},
	// The last line of a setting counts.
	"systemd-analyze cat-config systemd/resolved.conf | grep -E '^(LLMNR|MulticastDNS)=' | awk -F= '{ v[$1] = $2 } END { print v[\"LLMNR\"], v[\"MulticastDNS\"] }'": {"no no", "yes yes"},
	"systemd-analyze cat-config systemd/network/89-ethernet.network | grep -c '^MulticastDNS=yes$'":                                                                  {"0", "1"},
	"/usr/lib/systemd/systemd-sysctl --cat-config | sed -nE 's/^(kernel\\.kptr_restrict|kernel\\.yama\\.ptrace_scope) *= *//p' | xargs":                              {"1 1", "1 0"},
}

func doorsAre(t *testing.T, m *machine, open int) {
	t.Helper()
	for script, want := range doors {
		out, _ := m.try("sh", "-c", script)
		if got := strings.TrimSpace(out); got != want[open] {
			t.Errorf("%s\nsays %q, not %q", script, got, want[open])
		}
	}
}

// followsByHTTPS: the commit's own ostree takes an update from a host that
// proves who it is, and from no other.
func followsByHTTPS(t *testing.T, p *project, m *machine, ref string) {
	t.Helper()
	server := httptest.NewTLSServer(http.FileServer(http.Dir(p.output("small-repo-amd64"))))
	defer server.Close()
	m.run("ostree", "--repo=/var/lib/test", "init", "--mode=bare-user")
	m.run("ostree", "--repo=/var/lib/test", "remote", "add", "--no-gpg-verify", "main", server.URL)
	pull := []string{"ostree", "--repo=/var/lib/test", "pull", "--commit-metadata-only", "main", ref}
	if out, err := m.try(pull...); err == nil || !strings.Contains(out, "certificate") {
		t.Errorf("a stranger is believed, or refused for another reason: %v\n%s", err, out)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	f, err := os.OpenFile(filepath.Join(m.dir, "etc/ssl/certs/ca-certificates.crt"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(ca); err != nil {
		t.Fatal(err)
	}
	m.run(pull...)
}
