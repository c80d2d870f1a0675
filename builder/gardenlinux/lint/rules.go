package lint

import (
	"regexp"
	"sync"
)

// scriptPlace describes where a script runs, as a set.
type scriptPlace int

const (
	inTree  scriptPlace = 1 << iota // exec.early, exec.config, exec.late
	inPost                          // exec.post
	inImage                         // image and convert scripts
	inMod                           // fstab.mod, requirements.mod

	anywhere = inTree | inPost | inImage | inMod
	inTools  = inPost | inImage | inMod
)

// scriptRule finds one kind of trouble in scripts.
type scriptRule struct {
	where scriptPlace
	// match finds it. If it has a group, that is the place to show.
	match lazy
	// unless, if it matches what follows on the line from the match on, and
	// unlessFile, if it matches the whole script, make it harmless.
	unless, unlessFile lazy
	// unlessExcluded is a text that a file.exclude may name, which takes away
	// what scripts in the tree leave.
	unlessExcluded string
	summary        string
	// detail takes the text found, in quotes.
	detail string
}

// commandStart is where a command's name may be in a script: at the start of
// a command, after variables and programs that run others.
const commandStart = "(?m)(?:^|[;&|({!`]|-c[ \t]+['\"]|\\b(?:then|do|else|if|elif|while|until)\\b)[ \t]*" +
	"(?:(?:[A-Za-z_][A-Za-z0-9_]*=[^ \t\n;|&()]*|(?:[^ \t\n;|&()'\"=]*/)?(?:command|(?:exec|time|eval|nohup|xargs|env|sudo|chroot[ \t]+[^ \t\n]+|timeout[ \t]+[^ \t\n]+|datefudge(?:[ \t]+-s)?[ \t]+[^ \t\n]+)(?:[ \t]+-[^ \t\n]+)*))[ \t]+)*" +
	"(?:[^ \t\n;|&()'\"=]*/)?"

// rest is what may stand between a command's name and the argument that counts.
const rest = "[^\n;|&]*?[ \t]"

// word ends a command's name.
const word = "(?:[ \t\n;|&)'\"]|$)"

// commandRule compiles a pattern for commands: names, and what follows them.
func commandRule(pattern string) lazy { return re(commandStart + pattern) }

// lazy is a pattern that is compiled when it is needed: each step is a process of this program, and needs none.
type lazy func() *regexp.Regexp

func re(pattern string) lazy {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

const (
	needsNetwork = "Script that needs a network"
	needsBuilder = "Script that relies on the Garden Linux builder's own parts"
	needsDevices = "Script that needs devices or another container"
	notTheSame   = "Two builds will differ"
	hasPassword  = "Password in the image"
)

const (
	noNetwork = "%s: scripts have no network. "
	lendIt    = " `--network` gives scripts one, but a change of what they fetch is then not noticed."
)

const besideArtifact = "%s: this directory has only the input artifact of the script. Of the files that the script leaves there, only the artifact in the script's name is kept. A script that needs another artifact must be called convert.EXT~OTHER."

// scriptRules are tried in this order; each is reported once in a script, with
// all its lines.
var scriptRules = []scriptRule{
	{
		where:   anywhere,
		match:   commandRule("((?:apt-get|apt|aptitude)\\b(?:" + rest + "|[ \t]+)(?:update|install|reinstall|upgrade|dist-upgrade|full-upgrade|download|source|build-dep|satisfy)\\b)"),
		unless:  re(`^[^\n;|&]*[ \t"'](?:\./|/|\$[A-Za-z{])[^ \t\n]*\.deb\b`),
		summary: needsNetwork,
		detail:  noNetwork + "Packages of the tree's package archive belong in pkg.include; one of another package archive can be put into the feature's directory as a .deb and installed from there." + lendIt,
	}, {
		where:   anywhere,
		match:   commandRule("((?:curl|wget|aria2c|lftp|sftp|scp)" + word + ")"),
		unless:  re(`^[^\n;|&]*(?:--version|--help|file://)`),
		summary: needsNetwork,
		detail:  noNetwork + "What it fetches can be put into the feature's directory, which scripts see below /builder/features. If the script continues without it, it always does so here." + lendIt,
	}, {
		where: anywhere,
		match: commandRule("((?:pip3?|pipx|python3?[ \t]+-m[ \t]+pip|uv[ \t]+pip)[ \t]+" + "(?:[^\n;|&]*?[ \t])?(?:install|download)\\b" +
			"|git\\b(?:" + rest + "|[ \t]+)(?:clone|fetch|pull|ls-remote|submodule[ \t]+update)\\b" +
			"|(?:npm|pnpm|yarn)[ \t]+(?:[^\n;|&]*?[ \t])?(?:install|ci|i|add)\\b" +
			"|go[ \t]+(?:install|get|mod[ \t]+download)\\b|cargo[ \t]+(?:install|fetch|build)\\b|gem[ \t]+install\\b" +
			"|(?:snap|flatpak)[ \t]+install\\b|add-apt-repository\\b|gpg2?\\b" + rest + "--(?:recv-keys?|keyserver|refresh-keys|search-keys)\\b" +
			"|(?:skopeo|oras|crane)[ \t]+(?:[^\n;|&]*?[ \t])?(?:copy|pull|export)\\b|ostree[ \t]+(?:[^\n;|&]*?[ \t])?pull[ \t]|ostree[ \t]+admin[ \t]+upgrade\\b" +
			"|(?:debootstrap|cdebootstrap|mmdebstrap)" + word + "|rsync\\b[^\n;|&]*[ \t](?:rsync://|[A-Za-z0-9_.@-]+::?[A-Za-z0-9/~]))"),
		unless:  re(`^[^\n;|&]*(?:--no-index|--offline)\b`),
		summary: needsNetwork,
		detail:  noNetwork + "What it fetches can be put into the feature's directory, which scripts see below /builder/features." + lendIt,
	}, {
		where:   inTree,
		match:   re(`(/builder/\.build\b)`),
		summary: needsBuilder,
		detail:  "%s: scripts that run in the tree do not see the directory of artifacts. An artifact must be made by a script image.EXT or convert.EXT.",
	}, {
		where:   inPost | inMod,
		match:   re(`((?:/builder/|[ \t"'=(])\.build/)`),
		summary: needsBuilder,
		detail:  "%s: this script finds an empty directory there, and what it leaves there is lost. An artifact must be made by a script image.EXT or convert.EXT.",
	}, {
		where:   inImage,
		match:   re(`(?m)((?:/builder/|[ \t"'=(])\.build/)`),
		summary: needsBuilder,
		detail:  besideArtifact,
	}, {
		where:   anywhere,
		match:   re(`(?m)(/builder/(?:parse_features|make_[a-z_]+|bootstrap|configure(?:\.chroot)?|image(?:\.(?:release|manifest|sbom|requirements))?|Makefile|syft\.yaml)|(?:[ \t("']|^)\./(?:parse_features|make_[gl][a-z_]+))(?:[^\w./-]|\.[^\w]|$)`),
		summary: needsBuilder,
		detail:  "%s: the Garden Linux builder's own scripts are not there. The selected features and the cname are in the variables BUILDER_FEATURES and BUILDER_CNAME; elsewhere, `./build features` resolves features.",
	}, {
		where:   anywhere,
		match:   commandRule("((?:fake_xattr|setup_namespace|onmetal-image|syft)" + word + ")"),
		summary: needsBuilder,
		detail:  "%s: this program of the Garden Linux builder's container is not there.",
	}, {
		where:   inTools,
		match:   commandRule("(make" + word + ")"),
		summary: needsBuilder,
		detail:  "%s: the tools that the script runs in have no make.",
	}, {
		where:   anywhere,
		match:   re(`(aws_kms_pkcs11|pkcs11:|--engine[ =]pkcs11|\$\{?AWS_(?:REGION|DEFAULT_REGION|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)\b)`),
		summary: "Script that signs with a key in AWS",
		detail:  "%s: there is no module for keys in the key store of AWS, and scripts do not get the variables AWS_*. Signing works with a key in the tree's cert/; otherwise sign the artifacts after the build.",
	}, {
		where: anywhere,
		match: re(`\$\{?((?:REPO|COMMIT|TIMESTAMP|DEFAULT_VERSION|SHORT_COMMIT)\b)`),
		// A name that the script gives a value of its own means that.
		unlessFile: re(`(?m)\b(?:REPO|COMMIT|TIMESTAMP|DEFAULT_VERSION|SHORT_COMMIT)=|\bread\b[^\n]*\b(?:REPO|COMMIT|TIMESTAMP)\b`),
		summary:    needsBuilder,
		detail:     "%s: this variable of the Garden Linux builder's Makefile does not exist here. The commit is BUILDER_COMMIT, the time BUILDER_TIMESTAMP, the version BUILDER_VERSION.",
	}, {
		where: anywhere,
		match: commandRule("((?:losetup|kpartx|partprobe|partx|qemu-nbd|modprobe|insmod|rmmod|docker|podman|buildah|nerdctl|systemd-nspawn|guestfish|virt-customize)" + word +
			"|cryptsetup\\b" + rest + "(?:open|luksOpen)\\b|mount\\b(?:" + rest + "|[ \t]+)-o[ \t]*[^ \t\n]*\\bloop\\b)"),
		summary: needsDevices,
		detail:  "%s: scripts have no loop devices, kernel modules or containers. makepart, makedisk and the make_reproducible_* programs, which are on PATH, and mtools make file systems and disks without.",
	}, {
		where:   anywhere,
		match:   re(`((?:of=|if=|[ \t"'])/dev/(?:kvm|loop(?:-control|[0-9])|nbd[0-9]))`),
		summary: needsDevices,
		detail:  "%s: scripts do not have this device.",
	}, {
		where:          anywhere,
		match:          commandRule("(bootctl\\b" + rest + "install\\b)"),
		unless:         re(`^[^\n;|&]*--random-seed=no`),
		unlessFile:     re(`random-seed`),
		unlessExcluded: "random-seed",
		summary:        notTheSame,
		detail:         "%s leaves a random seed on the boot partition, which is the same on all machines that boot the image. Remove loader/random-seed by file.exclude, or by rm in an image script.",
	}, {
		where: anywhere,
		match: commandRule("((?:uuidgen|dbus-uuidgen|systemd-machine-id-setup)" + word + "|openssl[ \t]+(?:rand|genrsa|genpkey|req|ecparam|dhparam|passwd)\\b" +
			"|ssh-keygen\\b" + rest + "-[At]\\b|gpg2?\\b" + rest + "--(?:quick-)?gen(?:erate)?-key\\b)"),
		unless:  re(`^[^\n;|&)]*(?:--sha1|--md5|-salt\b)`),
		summary: notTheSame,
		detail:  "%s gives another result each time.",
	}, {
		where:   anywhere,
		match:   re(`(\$\{?S?RANDOM\b|/dev/u?random\b)`),
		summary: notTheSame,
		detail:  "%s gives another result each time.",
	}, {
		where:   anywhere,
		match:   commandRule("(date" + word + ")"),
		unless:  re(`^date[^\n;|&)]*[ \t](?:-[uR]*[dr]|--date|--reference|--version)`),
		summary: notTheSame,
		detail:  "%s gives the time of the build. The time that files should have is in BUILDER_TIMESTAMP: date -d \"@$BUILDER_TIMESTAMP\".",
	}, {
		where:   anywhere,
		match:   commandRule("(uname[ \t]+(?:-[a-z]*[arv][a-z]*|--all|--kernel-release|--kernel-version)\\b)"),
		summary: "Script that depends on this machine's kernel",
		detail:  "%s is about the build host, not about the system that is built: the kernels of the system are in /boot and /usr/lib/modules.",
	}, {
		where: anywhere,
		match: commandRule("(chpasswd" + word + "|(?:usermod|useradd)\\b(?:" + rest + "|[ \t]+)(?:-p\\b|--password\\b)|passwd[ \t]+(?:-d|--delete|--stdin)\\b)"),
		// A locked password is not a password.
		unless:  re(`^(?:usermod|useradd)[^\n;|&]*(?:-p|--password)[ =]*['"]?[!*]`),
		summary: hasPassword,
		detail:  "%s: a password that is set here is the same on all systems made from the image, and anyone who has the image can try to find it. It is stored with a random salt, so two builds differ. Passwords and keys are better set on the first boot.",
	},
}
