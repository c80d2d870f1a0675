package vm

import (
	"fmt"

	"github.com/treewright/treewright/builder/sandbox"
)

// Upgrade is the way from one commit to the next, and back.
type Upgrade struct {
	// From is the image's commit, To one that follows it and has the files that
	// [WriteSuccessor] writes.
	From, To string
	// Broken is a commit that follows To and whose boots fail, with the files
	// that [WriteBroken] writes; Tries is after how many of them the machine
	// falls back. With Tries 0 that is not tested.
	Broken string
	Tries  int64
	// Mended is a commit that follows Broken, with the files that [WriteMended]
	// writes.
	Mended string
	// Publish puts a commit where the guest's remote finds it.
	Publish func(commit string) error
	// Before are offered to the machine before To, one after the other.
	Before []Offer
	// Rotate returns what is offered to the machine once it runs To, of which only another
	// key counts than of From; nil if no keys do.
	Rotate func() ([]Offer, error)
}

// Offer is a state of the repository, and what a machine has to make of it.
type Offer struct {
	// Name is that of the point.
	Name string
	// Publish puts it where the guest's remote finds it.
	Publish func() error
	// Fails is set if an upgrade has to fail, because the machine refuses it.
	Fails bool
	// Pattern is a pattern of grep -E for what ostree prints.
	Pattern string
	// Takes is the commit that the machine has to download, "" if there is nothing for it.
	Takes string
}

// script tries an upgrade. It passes if that ends as it has to and no deployment is another
// one, and prints what ostree printed about it. A commit that is taken is only downloaded:
// signatures are checked then, and to deploy it takes long. Ostree prints nothing of a download
// without a terminal.
func (o Offer) script() string {
	options, ends := "", `(( status == 0 )) || { cat upgrade.log; echo "the upgrade failed"; exit 1; }`
	prints := fmt.Sprintf(`grep --extended-regexp %s upgrade.log > about.log || { cat upgrade.log; echo "that is not what it should print"; exit 1; }`, sandbox.Quote(o.Pattern))
	switch {
	case o.Takes != "":
		options = "--pull-only"
		prints = fmt.Sprintf(`ostree refs --revision | grep %s > about.log || { cat upgrade.log; echo "the commit was not downloaded"; exit 1; }`, o.Takes)
	case o.Fails:
		ends = `(( status != 0 )) || { cat upgrade.log; echo "the machine did not refuse it"; exit 1; }`
	}
	return fmt.Sprintf(offerScript, options, ends, prints)
}

// offerScript leaves out what the status prints of signatures, which can be added to a commit
// that is deployed.
const offerScript = `
deployments() { ostree admin status | grep --extended-regexp '[0-9a-f]{64}[.][0-9]'; }
before=$(deployments)
status=0
ostree admin upgrade %[1]s > upgrade.log 2>&1 || status=$?
%[2]s
%[3]s
[[ $(deployments) == "$before" ]] || { ostree admin status; echo "there is another deployment"; exit 1; }
tail -n 1 about.log
`
