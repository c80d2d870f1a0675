package extension

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
)

// TestRefuseAtBoot: packages are refused if they need a start of the machine with them. Files that scripts have made are not a reason.
func TestRefuseAtBoot(t *testing.T) {
	system := with(sampleSystem, map[string]string{
		"boot/old": "", "usr/lib/dracut/modules.d/old/setup": "", "usr/src/old/dkms.conf": "",
		"var/lib/dpkg/info/old.list": "/boot/old\n/usr/lib/dracut/modules.d/old\n/usr/src/old/dkms.conf\n",
	})
	adding := func(list string, files ...string) map[string]string {
		changes := map[string]string{"var/lib/dpkg/info/new.list": list}
		for _, f := range files {
			changes[f] = ""
		}
		return with(system, changes)
	}
	for name, c := range map[string]struct {
		tree       map[string]string
		newModules bool
		want       []string
	}{
		"nothing":           {system, false, nil},
		"of a script":       {adding("/usr/bin/new\n", "boot/initrd.img"), false, nil},
		"a hypervisor":      {adding("/boot/xen.gz\n/etc/default/grub.d/xen.cfg\n", "boot/xen.gz", "etc/default/grub.d/xen.cfg"), false, []string{"boot loader needs: /boot/xen.gz", "command line, which is part of the deployment: /etc/default/grub.d/xen.cfg"}},
		"microcode":         {adding("/usr/lib/firmware/intel-ucode\n", "usr/lib/firmware/intel-ucode/06"), false, []string{"microcode of processors, which the initramfs loads: /usr/lib/firmware/intel-ucode"}},
		"a dracut module":   {adding("/usr/lib/dracut/modules.d/90new\n", "usr/lib/dracut/modules.d/90new/setup"), false, []string{"modules for the initramfs: /usr/lib/dracut/modules.d/90new"}},
		"a module's source": {adding("/usr/src/new-1/dkms.conf\n", "usr/src/new-1/dkms.conf"), false, []string{"from which nothing was built: /usr/src/new-1/dkms.conf"}},
		"a module":          {adding("/usr/src/new-1/dkms.conf\n", "usr/src/new-1/dkms.conf"), true, nil},
	} {
		trees := extensionTrees{extended: sampleTree(t, c.tree), system: sampleTree(t, system), distro: debian.Family{}, packages: true, newModules: c.newModules}
		var got []string
		err := trees.atBoot(func(files []string, text, _ string) {
			if len(files) > 0 {
				got = append(got, text+": "+strings.Join(files, " "))
			}
		})
		if err != nil || !slices.EqualFunc(got, c.want, func(got, want string) bool {
			reason, files, _ := strings.Cut(want, ": ")
			return strings.Contains(got, reason) && strings.HasSuffix(got, ": "+files)
		}) {
			t.Errorf("%s: refused\n%s\nwant\n%s, error %v", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"), err)
		}
	}
}
