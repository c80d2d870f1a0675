package extension

import (
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// atBoot are kinds of files that have an effect only if the machine starts with them: an image is merged later, so their packages must be
// part of the commit.
var atBoot = []struct{ glob, text string }{
	{"usr/lib/dracut/modules.d/*", "have modules for the initramfs, which is part of the commit and stays as it is"},
	{"usr/lib/firmware/*-ucode", "have microcode of processors, which the initramfs loads, and the initramfs is part of the commit"},
	{"boot/*", "have files that the boot loader needs, which starts from the files of the commit"},
	{"etc/default/grub.d/*", "need options of the kernel's command line, which is part of the deployment"},
}

// moduleSources are the sources of kernel modules that dkms(8) builds on a machine, for the kernel that runs there.
const moduleSources = "usr/src/*/dkms.conf"

// atBoot reports packages that need a start of the machine with them.
func (t extensionTrees) atBoot(add func(files []string, text, remedy string)) error {
	const remedy = "\nAdd them to a feature or to the flavour"
	for _, kind := range atBoot {
		found, err := t.added(kind.glob)
		if err != nil {
			return err
		}
		add(found, "these packages "+kind.text, remedy)
	}
	if t.newModules {
		return nil
	}
	found, err := t.added(moduleSources)
	add(found, "these packages have the source of kernel modules, from which nothing was built: a machine cannot build them for the kernel of its commit", remedy+", with the headers of the kernel")
	return err
}

// added are the absolute paths of files and directories of packages that match a glob and that the system does not have.
func (t extensionTrees) added(glob string) ([]string, error) {
	all, err := layer.Glob(t.extended, glob)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range all {
		rel := strings.TrimPrefix(strings.TrimPrefix(file, t.extended), "/")
		if !treefs.Exists(filepath.Join(t.system, rel)) && t.ownerOf(rel) != "" {
			found = append(found, "/"+rel)
		}
	}
	return found, nil
}
