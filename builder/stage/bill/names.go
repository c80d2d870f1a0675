package bill

// Endings of the files' names.
const (
	SPDXEnding      = ".spdx.json"
	CycloneDXEnding = ".cdx.json"
)

// Unresolved and Local are the vendors of packages that are not from a source: those that a
// script installed, and those that features bring as files.
const (
	Unresolved = "unknown"
	Local      = "local"
)
