package vm

import "context"

// What belongs to the machine's owner: the numbers of accounts, and owners and
// modes of everything below /var. An upgrade moves none of it.
const (
	// changeState does what owners do: closes a file of the commit's first
	// content, removes another, gives a directory away. Then it writes down how
	// things are. What lives in /var/tmp and in the journal comes and goes.
	changeState = `
[[ -e /root/.bashrc && -e /root/.profile ]] || { echo "the commit brought no /root/.bashrc and /root/.profile"; ls -la /root; exit 1; }
chmod 600 /root/.bashrc
rm /root/.profile
mkdir /srv/treewright-test
chown 33:34 /srv/treewright-test
chmod 2770 /srv/treewright-test
mkdir /var/lib/treewright-state
` + listState + `
list_state /var/lib/treewright-state
sync
`
	listState = `
list_state() {
	cut --delimiter=: --fields=1,3,4 /etc/passwd | sort > "$1/passwd"
	cut --delimiter=: --fields=1,3 /etc/group | sort > "$1/group"
	{ find /var -xdev \( -path /var/tmp -o -path /var/log/journal -o -path /var/lib/treewright-state \) -prune -o -printf '%p\t%m %U:%G\n' || true; } | sort > "$1/var"
}
`
	// checkState: what was there and still is, is as it was.
	checkState = listState + `
mkdir -p now
list_state now
bad=0
for what in passwd group; do
	missing=$(comm -23 "/var/lib/treewright-state/$what" "now/$what")
	[[ -z $missing ]] || { echo "/etc/$what had, and has not any more: $missing"; bad=1; }
done
moved=$(join -t $'\t' "/var/lib/treewright-state/var" now/var | awk -F '\t' '$2 != $3 { print $1 ": " $2 " became " $3 }')
[[ -z $moved ]] || { echo "$moved"; bad=1; }
[[ ! -e /root/.profile ]] || { echo "/root/.profile was removed on this machine and is back"; bad=1; }
[[ $(stat -c '%a' /root/.bashrc) == 600 ]] || { echo "/root/.bashrc was closed on this machine and is open"; bad=1; }
[[ $(stat -c '%a %u:%g' /srv/treewright-test) == '2770 33:34' ]] || { echo "/srv/treewright-test has another owner or mode"; bad=1; }
exit "$bad"
`
)

// stateKept is the point that nothing of the machine's owner was moved.
func (s *Scenario) stateKept(ctx context.Context, group string) {
	s.point(ctx, group, "state-kept", false, func() error { return s.script(ctx, "a look at /var", checkState) })
}
