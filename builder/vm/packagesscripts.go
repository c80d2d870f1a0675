package vm

// The packages that a machine adds: a command, a daemon with an account and state, alternatives, and one more.
const (
	aCommand = "jq"
	aDaemon  = "redis-server"
	anEditor = "vim"
	oneMore  = "tree"
	// aKernel, with the architecture, and anInit cannot be added.
	aKernel = "linux-image-rt-"
	anInit  = "sysvinit-core"
)

// packageFunctions are for the scripts of a test of packages.
const packageFunctions = `
# timed COMMAND...: runs it, and prints how long it took and how large the image is.
timed() {
	local before=$EPOCHREALTIME after
	"$@" > timed.log 2>&1 || { cat timed.log; exit 1; }
	after=$EPOCHREALTIME
	echo "$*: $(( (${after/./} - ${before/./}) / 100000 ))" | sed -E 's/([0-9])$/.\1 s/'
	stat --format='image: %s bytes' /run/extensions/added.raw --dereference 2> /dev/null || true
}

# works COMMAND...: each is there and does what it is for.
works() {
	local name
	for name; do
		case $name in
		jq) [[ $(jq .a <<< '{"a": 17}') == 17 ]] ;;
		vim) vim --version | grep --quiet 'VIM - Vi IMproved' ;;
		*) "$name" --version > /dev/null ;;
		esac || { echo "$name does not work"; systemd-sysext status; treewright status; exit 1; }
	done
}

# gone COMMAND...: none is there.
gone() {
	local name
	for name; do
		if [[ -e /usr/bin/$name ]]; then echo "/usr/bin/$name is still there"; systemd-sysext status; exit 1; fi
	done
}

no_process() {
	if pgrep --list-full --full "(^|/)$1( |$)"; then echo "$1 still runs"; exit 1; fi
	[[ $(systemctl is-active "$1.service") != active ]] || { systemctl status --no-pager "$1.service"; exit 1; }
}

# has_status PACKAGE...: these were asked for and all is well, in the words for people, for programs and for the prompt.
has_status() {
	local text json want name
	json=$(treewright status --json)
	text=$(treewright status)
	want=$(printf '"%s",' "$@")
	want=[${want%,}]
	[[ $# != 0 ]] || want=[]
	[[ $(tr --delete ' \n' <<< "$json") == *"\"wanted\":$want"* ]] || { echo "$want is not what was asked for:"; echo "$json"; exit 1; }
	! grep '"problem"' <<< "$json" || { echo "$text"; exit 1; }
	for name; do
		grep --quiet --word-regexp -- "$name" <<< "$text" || { echo "the status does not mention $name:"; echo "$text"; exit 1; }
	done
	[[ -z $(treewright status --prompt) && ! -e /run/treewright/added-hint ]] || { echo "the prompt says: $(treewright status --prompt)"; exit 1; }
}

# state: all that must not change when something is refused.
state() {
	cat /var/lib/treewright/packages.json
	readlink /run/extensions/added.raw
	find /var/lib/treewright -type d -printf '%p\n' -o -printf '%p %i %s %T@\n' | sort
	systemd-sysext status --json=short
	ostree admin status
}

# refused PATTERN COMMAND...: it fails, for this reason, and changes nothing.
refused() {
	local pattern=$1 before after said code=0
	shift
	before=$(state)
	said=$("$@" 2>&1) || code=$?
	after=$(state)
	[[ $code != 0 ]] || { echo "it was not refused: $said"; exit 1; }
	grep --quiet --extended-regexp -e "$pattern" <<< "$said" || { echo "it was refused, for another reason: $said"; exit 1; }
	[[ $before == "$after" ]] || { echo "something changed:"; diff <(echo "$before") <(echo "$after") || true; echo "$said"; exit 1; }
	tail --lines=3 <<< "$said"
}

# daemon_has_key: the daemon runs and has what was written before.
daemon_has_key() {
	for _ in {1..60}; do
		[[ $(redis-cli get treewright 2> /dev/null) != here ]] || return 0
		sleep 1
	done
	systemctl status --no-pager redis-server.service || true
	redis-cli get treewright || true
	echo "the daemon does not have the key that was written"
	exit 1
}
`

const (
	// bootTime prints the duration of the boot, and the part of it that the image took.
	bootTime = `systemd-analyze time | head --lines=1
for unit in treewright-added systemd-sysext; do
	for property in ExecMainStartTimestampMonotonic ExecMainExitTimestampMonotonic; do
		systemctl show --property="$property" --value "$unit.service"
	done | { read -r began; read -r ended; echo "$unit.service: $(( (ended - began) / 1000 )) ms"; }
done
`
	// aptAnswers checks the answers of apt.
	aptAnswers = `
for name in apt apt-get; do
	code=0
	said=$("$name" install ` + aCommand + ` 2>&1) || code=$?
	[[ $code == 100 && $said == *"treewright add ` + aCommand + `"* ]] || { echo "$name install: exit status $code: $said"; exit 1; }
done
echo "$said"
`
	daemonRuns = `
[[ $(systemctl is-active redis-server.service) == active ]] || { systemctl status --no-pager redis-server.service; exit 1; }
[[ $(redis-cli ping) == PONG ]]
`
	// daemonAccount compares the account with the numbers that the image has.
	daemonAccount = `
line=$(grep --no-filename --extended-regexp '^u!? redis ' /usr/lib/sysusers.d/01-extension-added.conf)
read -r _ _ numbers _ <<< "$line"
have=$(id --user redis):$(id --group redis)
[[ $have == "$numbers" ]] || { echo "the account redis is $have, and the image has $numbers"; exit 1; }
[[ $(ps -o user= -C redis-server) == redis ]] || { ps -ef; exit 1; }
owner=$(stat --format=%u:%g /var/lib/redis)
[[ $owner == "$have" ]] || { echo "/var/lib/redis is of $owner, and redis is $have"; exit 1; }
echo "redis is $have"
`
	alternatives = `
for name in vi vim; do
	at=$(readlink --canonicalize "$(command -v "$name")")
	[[ $at == /usr/bin/vim.basic ]] || { echo "$name leads to $at"; exit 1; }
done
at=$(readlink --canonicalize "$(command -v editor)")
[[ -x $at ]] || { echo "editor leads to $at"; exit 1; }
echo "editor leads to $at"
`
	// fullVar leaves less than the margin of [added].
	fullVar = `
filler=/var/tmp/treewright-filler
trap 'rm -f "$filler"' EXIT
free=$(df --output=avail --block-size=1 /var | tail --lines=1)
fallocate --length=$(( free - (20 << 20) )) "$filler"
refused 'needs .* are free' treewright add ` + oneMore + `
`
	// heldBack stages an upgrade to a commit, and waits until it is held back.
	heldBack = `
ostree admin upgrade --stage
for _ in {1..300}; do
	status=$(treewright status --json)
	[[ $(tr --delete ' \n' <<< "$status") != *'"held":true'* ]] || break
	sleep 1
done
[[ $(tr --delete ' \n' <<< "$status") == *'"commit":"%[1]s"'*'"held":true'* ]] || { echo "it is not held back: $status"; journalctl --boot --no-pager --unit=treewright-added-follow.service; exit 1; }
grep --quiet 'makes none when it is asked' <<< "$status" || { echo "the status does not have the reason: $status"; exit 1; }
ostree admin status | grep --ignore-case locked || { ostree admin status; exit 1; }
treewright status --prompt | grep --quiet 'waits for its packages' || { echo "the prompt says: $(treewright status --prompt)"; exit 1; }
treewright status | grep --ignore-case -e held -e 'makes none'
`
	// damage changes the merged image, while the machine has half of another image.
	damage = `
ls -d /var/lib/treewright/extensions/.new-* > /dev/null
image=/var/lib/treewright/extensions/%[1]s/added.raw
at=$(( $(stat --format=%%s "$image") / 2 ))
old=$(dd if="$image" bs=1 skip=$at count=1 status=none | od -An -tu1)
printf "\\x$(printf %%x $(( old ^ 255 )))" | dd of="$image" bs=1 seek=$at conv=notrunc status=none
sync
`
	damagedJournal = `
journal=$(journalctl --boot --no-pager --output=cat --unit=treewright-added.service)
grep 'are not merged: the image has the SHA-256' <<< "$journal" || { echo "the journal does not have the reason: $journal"; exit 1; }
`
	fetchedAgain = `
for _ in {1..300}; do
	[[ ! -e /usr/bin/` + oneMore + ` || -n $(pgrep --full 'treewright added-follow') ]] || break
	sleep 1
done
if compgen -G '/var/lib/treewright/extensions/.new-*'; then echo "half an image is left"; exit 1; fi
`
	// stageUpgrade upgrades, and waits for the image.
	stageUpgrade = `
before=$EPOCHREALTIME
ostree admin upgrade --stage
until [[ -e /var/lib/treewright/extensions/%[1]s/added.raw ]]; do
	systemctl is-failed --quiet treewright-added-follow.service && { journalctl --boot --no-pager --unit=treewright-added-follow.service; exit 1; }
	sleep 1
done
after=$EPOCHREALTIME
echo "staged, with its image: $(( (${after/./} - ${before/./}) / 1000000 )) s"
while [[ $(systemctl is-active treewright-added-follow.service) == activating ]]; do sleep 1; done
status=$(treewright status --json)
! grep -e '"problem"' -e '"held": true' <<< "$status" || { echo "$status"; exit 1; }
! ostree admin status | grep --ignore-case locked
`
)
