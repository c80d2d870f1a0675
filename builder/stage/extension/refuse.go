package extension

import (
	"errors"
	"fmt"
	"strings"
)

// refuse reports all at once for which there can be no extension.
func (t extensionTrees) refuse(p TreeParams, arch string, d *difference) error {
	var faults []error
	add := func(files []string, text, remedy string) {
		if len(files) > 0 {
			faults = append(faults, fmt.Errorf("%s:\n  %s%s", text, strings.Join(files, "\n  "), remedy))
		}
	}
	name := "the extension " + p.Name
	remedy := "\nList files that programs generate (caches) in file.exclude of its feature; other changes belong in a feature of the system"
	if p.Packages {
		name = "these packages"
		remedy = "\nThe files of a commit stay as they are. Packages that change them must be part of the commit: add them to a feature or to the flavour"
	}
	add(d.conflicts, name+" would change files of the system, which is not allowed", remedy)
	if p.Packages {
		if err := t.atBoot(add); err != nil {
			return err
		}
	}
	strangers, err := t.strangers(d.leaving)
	if err != nil {
		return err
	}
	add(strangers, "files of "+name+" belong to no account, and on a machine to any account with that number", "")
	lost, err := t.lostLibraries(d.leaving, arch)
	if err != nil {
		return err
	}
	remedy = "\nMove them into a directory that the linker searches by default, or list the file below /etc in file.exclude if the programs know where they are"
	if p.Packages {
		remedy = "\nAdd the packages to a feature or to the flavour"
	}
	add(lost, "libraries of "+name+" would not be found", remedy)
	return errors.Join(faults...)
}
