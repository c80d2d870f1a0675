package trial

import (
	"fmt"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/vm"
)

// useKVM reports whether KVM works here for machines of an architecture, and if not,
// tells why.
func useKVM(arch string, say func(string)) bool {
	err := vm.CheckKVM(arch)
	if err != nil {
		say(fmt.Sprintf("without KVM the machine is emulated, which takes ten times as long: %v", err))
	}
	return err == nil
}

// needsBIOS reports whether an image is booted as on an old PC, and tells so. One that
// is not raw is the image stage's, which makes disks for UEFI only.
func needsBIOS(image build.Image, say func(string)) (bool, error) {
	if image.Format != "raw" {
		return false, nil
	}
	bios, err := vm.NeedsBIOS(image.Path)
	if bios {
		say("the image has a boot sector and no EFI system partition: the machine gets a BIOS in place of UEFI")
	}
	return bios, err
}
