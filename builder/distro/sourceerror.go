package distro

// The fields of a source, as flavours call them.
const (
	URLsField          = "urls"
	SuitesField        = "suites"
	ComponentsField    = "components"
	ArchitecturesField = "architectures"
	KeyringField       = "keyring"
	CAField            = "ca"
	PackagesField      = "packages"
)

// SourceError is a fault of a source: what is written of it, or what its archive
// offers. Its text is two sentences or more.
type SourceError struct {
	// Source is the source's name.
	Source string
	// Field is the field that is at fault, and Value the value in it; Value is "" if
	// the field has one only.
	Field, Value string
	// Summary is a title of a few words, and Detail says what is wrong and what to do.
	Summary, Detail string
	// Known are values that would do, the one to prefer first, if Value may be
	// mistyped.
	Known []string
	// Outside reports that what is written may well be right: the archive has to be
	// repaired, or this machine.
	Outside bool
}

func (e *SourceError) Error() string { return "source " + e.Source + ": " + e.Detail }
