//go:build e2e && proof

package e2e

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestProofAccounts builds ten times with packages that come and go at random:
// every account keeps its number.
func TestProofAccounts(t *testing.T) {
	p := sharing(t, strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "mail"]`, 1))
	p.write("features/mail/info.yaml", "description: packages with accounts\ntype: element\nfeatures:\n  include: [base]\n")
	choice := []string{
		"tcpdump", "uuid-runtime", "postfix", "redis-server", "avahi-daemon", "openbsd-inetd", "polkitd", "rtkit", "dnsmasq",
		"lldpd", "haproxy", "memcached", "cron", "at", "rpcbind", "usbmuxd", "pcscd", "munin-node", "nscd",
	}
	random := rand.New(rand.NewPCG(8, 0))
	ever := map[string]string{}
	for i := range 10 {
		var packages []string
		for _, name := range choice {
			if random.IntN(2) == 0 {
				packages = append(packages, name)
			}
		}
		mail(p, packages...)
		m := newMachine(t, p, p.output("small-repo-amd64"), p.build().Commit)
		ids := m.ids()
		if wrong := moved(ever, ids); len(wrong) > 0 {
			t.Errorf("build %d (%s): %v", i+1, strings.Join(packages, " "), wrong)
		}
		for name, id := range ids {
			ever[name] = id
		}
		t.Logf("build %d: %d packages of the list, %d accounts, %d so far", i+1, len(packages), len(ids), len(ever))
	}
}

// TestProofCallers builds the default flavour twice from nothing, as the caller
// of the tests and as one with umask 077 and much else that is different: the
// commit is the same.
func TestProofCallers(t *testing.T) {
	const flavour = "debian-testing-amd64-ostree"
	var commits []string
	for _, odd := range []bool{false, true} {
		p := newProject(t)
		p.odd = odd
		if out, code := p.treewright(nil, "--progress", "plain", flavour); code != 0 {
			t.Fatalf("exit %d:\n%s", code, out)
		}
		commits = append(commits, p.manifestOf(flavour).Commit)
	}
	if commits[0] != commits[1] {
		t.Errorf("two callers get two commits: %v", commits)
	}
}
