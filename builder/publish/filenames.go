package publish

const (
	// privateDir is the directory, below the root of all output, that nobody but
	// its owner can enter.
	privateDir = ".private"
	// SumsName is the file beside artifacts that sha256sum, systemd-sysupdate and importctl look for.
	SumsName = "SHA256SUMS"
	// SignatureSuffix is that of the file with a detached OpenPGP signature, in binary.
	SignatureSuffix = ".sig"
	// KeysName is the file beside artifacts with the public keys that signatures are
	// checked against, in binary.
	KeysName = "signing-keys.gpg"
	// SummaryName is the file beside artifacts with the public part of the manifest, for web
	// servers other than this program's; `serve --write` writes it.
	SummaryName = "build.json"
	logsDir     = "logs"
	lockName    = ".lock"
)

// ManifestName is the file in the private directory that says what a build made.
const ManifestName = "manifest.json"
