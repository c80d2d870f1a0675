package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/added"
	"github.com/treewright/treewright/builder/distro"
)

// TestMachineText: the status describes each deployment, its missing packages, and the command that helps.
func TestMachineText(t *testing.T) {
	image := &added.ImageStatus{Packages: []string{"jq"}, Added: []distro.Package{{Name: "jq", Version: "1.8.2-1"}, {Name: "libjq1", Version: "1.8.2-1"}}, From: added.Origin{Kind: "server", Where: "https://example.org/os/extend"}, Size: 409600}
	sum := func(c string) string { return strings.Repeat(c, 64) }
	s := &added.Status{Wanted: []string{"jq", "tcpdump"}, Merged: true, Deployments: []added.DeploymentStatus{
		{Commit: sum("c"), Version: "3", Pending: true, Staged: true, Held: true, Problem: "jq, tcpdump for 3 (commit cccccccccccc): no server\nno space"},
		{Commit: sum("a"), Version: "2", Booted: true, Image: image},
		{Commit: sum("b"), Rollback: true, Image: image},
		{Commit: sum("d"), Version: "0"},
	}, HeldBack: &added.HeldBack{Commit: sum("e"), Version: "2.9", Reason: "jq: no server", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	const want = `added: jq, tcpdump

next, staged: 3 (commit cccccccccccc)
  jq, tcpdump for 3 (commit cccccccccccc): no server
  no space
  It is not booted before its packages are here; that is tried again every few minutes.
  To try now: systemctl start treewright-added-follow. To boot it without packages: treewright remove jq tcpdump

running: 2 (commit aaaaaaaaaaaa)
  merged, image of 0.4 MB, from server https://example.org/os/extend
  jq 1.8.2-1
  libjq1 1.8.2-1
  without tcpdump, which were added later: treewright add tcpdump

rollback: commit bbbbbbbbbbbb
  image of 0.4 MB, from server https://example.org/os/extend
  jq 1.8.2-1
  libjq1 1.8.2-1

kept: 0 (commit dddddddddddd)
  no packages

The upgrade to 2.9 (commit eeeeeeeeeeee) was held back at the shutdown of 2026-01-02 03:04:05 UTC:
  jq: no server
Stage it again when that is solved: ostree admin upgrade --stage
`
	if got := machineText(s); got != want {
		t.Errorf("the status is\n%s\nwant\n%s", got, want)
	}
}
