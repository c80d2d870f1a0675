package trial

import (
	"fmt"

	"github.com/treewright/treewright/builder/vm"
)

// UseKVM says whether KVM works here, and if not, tells why.
func UseKVM(say func(string)) bool {
	err := vm.CheckKVM()
	if err != nil {
		say(fmt.Sprintf("without KVM the machine is emulated, which takes ten times as long: %v", err))
	}
	return err == nil
}

// NeedsBIOS says whether an image is booted as on an old PC, and tells so.
func NeedsBIOS(image string, say func(string)) (bool, error) {
	bios, err := vm.NeedsBIOS(image)
	if bios {
		say("the image has a boot sector and no EFI system partition: the machine gets a BIOS in place of UEFI")
	}
	return bios, err
}
