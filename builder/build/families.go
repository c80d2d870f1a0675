package build

import (
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// Families are the families of distributions that flavours can be of.
var Families = distro.Families{debian.Family{}}

// lacks is [config.Project.Lacks]; the stages' tools have the stages' names.
func lacks(family, stage, suite string) string {
	d, err := Families.Of(family)
	if err != nil {
		return ""
	}
	return d.Lacks(distro.Purpose(stage), suite, nil)
}

// brings is [config.Project.Brings].
func brings(family, program string) []string {
	d, err := Families.Of(family)
	if err != nil {
		return nil
	}
	return d.Brings(program)
}

// isKernel is [config.Project.Kernel].
func isKernel(family, name string) bool {
	d, err := Families.Of(family)
	return err == nil && d.Kernel(name)
}

// databasePlaces are where no feature may have a file, as a family keeps the account
// of packages there.
func databasePlaces() []config.Place {
	var places []config.Place
	for _, f := range Families {
		db := f.Database()
		places = append(places, config.DatabasePlaces(db.Dir(), db.CommittedDir())...)
	}
	return places
}
