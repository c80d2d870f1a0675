package task

import (
	"encoding/json"

	"github.com/treewright/treewright/builder/distro"
)

// Facts that the description of a build is made of.
const (
	// packagesFact lists the packages that a step found in its tree, as JSON.
	packagesFact = "packages"
	// extensionFact names the extension whose packages those are, beyond the
	// system's. Without it they are the system's own.
	extensionFact = "extension"
)

// NotePackages notes which packages the step found in the system's tree, or, with
// the extension's name, beyond it in an extension's.
func (t *Task) NotePackages(extension string, packages []distro.Package) {
	if packages == nil {
		packages = []distro.Package{} // having none is a fact, too
	}
	t.Facts[packagesFact] = string(encode(packages))
	if extension != "" {
		t.Facts[extensionFact] = extension
	}
}

// PackagesOf returns what [Task.NotePackages] noted; nil if a step noted nothing.
func PackagesOf(facts map[string]string) (extension string, packages []distro.Package) {
	text, ok := facts[packagesFact]
	if !ok || json.Unmarshal([]byte(text), &packages) != nil {
		return "", nil
	}
	return facts[extensionFact], packages
}
