package vm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
)

// TestOffer: the script of an offer fails if the machine makes something else of it.
func TestOffer(t *testing.T) {
	refused, ignored, taken := Offer{Fails: true, Pattern: "BAD|older"}, Offer{Pattern: "No update"}, Offer{Takes: commitB}
	for _, tc := range []struct {
		offer Offer
		// What ostree prints, its status, which commit it has afterwards, and what is deployed.
		printed         string
		status          int
		has, deployed   string
		prints, becomes string
	}{
		{refused, "error: it is older", 1, "", commitA, "error: it is older", ""},
		{refused, "error: the network is down", 1, "", commitA, "", "that is not what it should print"},
		{refused, "upgraded", 0, "", commitB, "", "the machine did not refuse it"},
		{refused, "error: it is older", 1, "", commitB, "", "there is another deployment"},
		{ignored, "No update available.", 0, "", commitA, "No update available.", ""},
		{ignored, "error: BAD", 1, "", commitA, "", "the upgrade failed"},
		{ignored, "upgraded", 0, "", commitB, "", "that is not what it should print"},
		{taken, "", 0, commitB, commitA, "main:ref " + commitB, ""},
		{taken, "No update available.", 0, commitA, commitA, "", "the commit was not downloaded"},
		{taken, "error: BAD", 1, "", commitA, "", "the upgrade failed"},
	} {
		ostree := fmt.Sprintf(`cd %s
ostree() {
	case $1-$2 in
	admin-status) echo "* debian $([[ -e upgrade.log ]] && echo %s || echo %s).0" ;;
	admin-upgrade) printf %%s %s; return %d ;;
	refs-*) echo "main:ref %s" ;;
	esac
}
`, sandbox.Quote(t.TempDir()), tc.deployed, commitA, sandbox.Quote(tc.printed), tc.status, tc.has)
		out, err := sandbox.Command{Argv: []string{"bash", "-c", "set -euo pipefail\n" + ostree + tc.offer.script()}, Env: sandbox.HostEnv()}.Output(t.Context())
		switch got := strings.TrimSpace(string(out)); {
		case tc.becomes == "" && (err != nil || got != tc.prints):
			t.Errorf("%+v: %v\n%s", tc, err, got)
		case tc.becomes != "" && (err == nil || !strings.HasSuffix(got, tc.becomes)):
			t.Errorf("%+v: %v\n%s", tc, err, got)
		}
	}
}
