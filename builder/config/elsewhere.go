package config

import (
	"reflect"
	"slices"
	"strings"
)

// Where people who know another builder look for something, and where it is written
// here. Names are in small letters and without underscores, so that those of mkosi.conf
// are found as well. Each sentence follows "There is no field X here.".
var (
	elsewhereFlavour = map[string]string{
		"autologin":               `Add the feature "_dev": it logs root in on every console, for people who develop.`,
		"bootable":                `Add the feature "ostreeImage", which makes a disk image.`,
		"bootloader":              `The boot loader of a disk image is always GRUB; the feature "ostreeImage" makes one.`,
		"buildpackages":           `They are lines of pkg.build in a feature, beside its script exec.build.`,
		"cmdline":                 `Did you mean "kernel_args"?`,
		"debconf":                 `Answers to questions of packages are in the file debconf of a feature.`,
		"debs":                    `Packages of one's own are in file.debs/ of a feature.`,
		"docs":                    `It is the parameter "docs" of the feature "base", which set gives a value.`,
		"env":                     environmentElsewhere,
		"environment":             environmentElsewhere,
		"environmentfiles":        environmentElsewhere,
		"excludes":                `Write exclude_packages or exclude_files.`,
		"extratrees":              `Write files, with the name of a directory or with paths.`,
		"finalizescripts":         scriptsElsewhere,
		"format":                  formatsElsewhere,
		"formats":                 formatsElsewhere,
		"fstab":                   `Other file systems are mounted by a unit: write /etc/systemd/system/PATH.mount in files, and enable it in units.`,
		"hooks":                   scriptsElsewhere,
		"hostname":                `It is the parameter "hostname" of the feature "base", which set gives a value.`,
		"include":                 `Write extends for another flavour, or features for parts of systems.`,
		"includes":                `Write files, with the name of a directory or with paths.`,
		"kargs":                   `Did you mean "kernel_args"?`,
		"kernel":                  `It is the parameter "kernel" of the feature "base", which set gives a value.`,
		"kernelcmdline":           `Did you mean "kernel_args"?`,
		"kernelcommandline":       `Did you mean "kernel_args"?`,
		"kernelmodules":           modulesElsewhere,
		"machineid":               `Each machine makes its own at its first boot.`,
		"modules":                 modulesElsewhere,
		"overlay":                 `Write files, with the name of a directory or with paths.`,
		"packagedirectories":      `Packages of one's own are in file.debs/ of a feature.`,
		"password":                passwordElsewhere,
		"postinstallscripts":      scriptsElsewhere,
		"preparescripts":          scriptsElsewhere,
		"postinstallationscripts": scriptsElsewhere,
		"buildscripts":            `A script exec.build of a feature compiles something for the system.`,
		"preseed":                 `Answers to questions of packages are in the file debconf of a feature.`,
		"profiles":                `Write add_features in a flavour that extends this one.`,
		"recommends":              recommendsElsewhere,
		"removefiles":             `Did you mean "exclude_files"?`,
		"removepackages":          `Did you mean "exclude_packages"?`,
		"repositories":            `Write components in distribution for parts of its archive, and a source there for another archive.`,
		"rootpassword":            passwordElsewhere,
		"rootshell":               `The shell of an account of users is its field shell. That of root can be changed by a script exec.config of a feature, with usermod.`,
		"scripts":                 scriptsElsewhere,
		"services":                `Write units, with a list enable.`,
		"skeletontrees":           `Files that have to be there before packages are installed are made by a script exec.early of a feature; others are in files.`,
		"ssh":                     `base has an ssh server, for keys only; each of users has ssh_keys.`,
		"stage":                   `Add the features "ostreeRepo" and "ostreeImage".`,
		"withdocs":                `It is the parameter "docs" of the feature "base", which set gives a value.`,
		"withrecommends":          recommendsElsewhere,
	}
	elsewhereDistribution = map[string]string{
		"architecture":       `Did you mean "arch"?`,
		"archiveareas":       `Did you mean "components"?`,
		"areas":              `Did you mean "components"?`,
		"codename":           `Did you mean "suite"?`,
		"pin":                `Write packages or priority in a source.`,
		"preferences":        `Write packages or priority in a source.`,
		"release":            `Did you mean "suite"?`,
		"repositories":       `Write components for parts of this archive, and a source for another archive.`,
		"repositorykeycheck": `Every archive is verified; keyring names the file with its keys.`,
		"snapshot":           `Write it as the mirror: http://snapshot.debian.org/archive/debian/TIME.`,
		"url":                `Did you mean "mirror"?`,
		"urls":               `Did you mean "mirror"?`,
		"version":            `Did you mean "suite"?`,
	}
	elsewhereSource = map[string]string{
		"gpgkey":      `Did you mean "keyring"?`,
		"key":         `Did you mean "keyring"?`,
		"mirror":      `Did you mean "urls"?`,
		"pin":         `Write packages for the names that come from this source alone, or priority.`,
		"pinpriority": `Did you mean "priority"?`,
		"signedby":    `Did you mean "keyring"?`,
		"trusted":     `Every archive is verified; keyring names the file with its keys.`,
		"uris":        `Did you mean "urls"?`,
	}
	elsewhereInfo = map[string]string{
		"buildpackages": `They are lines of the feature's file pkg.build.`,
		"debconf":       `Answers to questions of packages are in the feature's file debconf.`,
		"debs":          `They are in the feature's directory file.debs/.`,
		"exclude":       `Write exclude below features.`,
		"files":         `They are in the feature's directory file.include/, or as templates in file.template/.`,
		"groups":        `Accounts are made by the feature's script exec.accounts, or by file.include/usr/lib/sysusers.d/NAME.conf.`,
		"include":       `Write include below features.`,
		"packages":      `They are lines of the feature's file pkg.include.`,
		"scripts":       `They are the feature's files exec.config, exec.build and others.`,
		"sysctl":        `Write file.include/usr/lib/sysctl.d/NAME.conf.`,
		"units":         `The feature's script exec.config enables them, by systemctl enable.`,
		"users":         `Accounts are made by the feature's script exec.accounts, or by file.include/usr/lib/sysusers.d/NAME.conf.`,
	}
)

const (
	environmentElsewhere = `Scripts get the parameters of their feature, which are declared in its info.yaml; set gives them values.`
	formatsElsewhere     = `The formats of a disk image are the parameter "formats" of the feature "ostreeImage", which set gives a value.`
	modulesElsewhere     = `The system has all modules of its kernel. To load one at boot, write its name in /etc/modules-load.d/NAME.conf, in files.`
	passwordElsewhere    = `Everyone who gets the commit could read a password, or its hash: give one of users ssh_keys and sudo, and set passwords on the machine.`
	recommendsElsewhere  = `Write NAME+recommends in packages, or recommends: true in the info.yaml of a feature.`
	scriptsElsewhere     = `Scripts are files of a feature, such as exec.config: "new feature NAME" writes one.`
)

// elsewhere reports where a field is written that a block does not have: in another
// block, or under another name. It is empty, or a sentence that begins with a blank.
// known are the fields that the block has.
func elsewhere(name string, known []string) string {
	lists := map[string]map[string]string{"remove_features": elsewhereFlavour, "backports": elsewhereDistribution, "urls": elsewhereSource, "listens": elsewhereInfo}
	for field, list := range lists {
		if !slices.Contains(known, field) {
			continue
		}
		if hint := list[strings.ReplaceAll(strings.ToLower(name), "_", "")]; hint != "" {
			return " " + hint
		}
		if field == "remove_features" && slices.Contains(fieldsOf[distributionBlock](), name) {
			return " It belongs in the distribution of the flavour."
		}
	}
	return ""
}

// fieldsOf are the fields and blocks of a struct of language.go, as HCL and YAML write
// them.
func fieldsOf[Block any]() []string {
	var names []string
	for t, i := reflect.TypeFor[Block](), 0; i < t.NumField(); i++ {
		name, kind, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ",")
		if kind == "optional" || kind == "block" {
			names = append(names, name)
		}
		if plural := t.Field(i).Tag.Get("yaml"); plural != "" {
			names = append(names, plural)
		}
	}
	return names
}
