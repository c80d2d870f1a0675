package task

import "strings"

// Facts that the description of a build is made of.
const (
	// PackagesFact lists the packages that a step found in its tree, "NAME VERSION
	// ARCH" a line.
	PackagesFact = "packages"
	// ExtensionFact names the extension whose packages those are, beyond the
	// system's. Without it they are the system's own.
	ExtensionFact = "extension"
)

// PackagesOf returns the packages that a step found in the system's tree, or,
// with the extension's name, beyond it in an extension's. Without any it is nil.
func PackagesOf(facts map[string]string) (extension string, lines []string) {
	text, ok := facts[PackagesFact]
	if !ok {
		return "", nil
	}
	return facts[ExtensionFact], strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
