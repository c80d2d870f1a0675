package debian

import (
	"slices"

	"github.com/treewright/treewright/builder/distro"
)

// Family is Debian and what is made of its packages.
type Family struct{}

var _ distro.Distro = Family{}

// Name is what flavours call the family.
func (Family) Name() string { return "debian" }

// DefaultKeyring is what release files must be signed by unless a flavour names
// another keyring; Debian's package debian-archive-keyring brings it.
func (Family) DefaultKeyring() string { return "/usr/share/keyrings/debian-archive-keyring.gpg" }

// Programs are those that this machine must have.
func (Family) Programs() []distro.Program {
	return []distro.Program{
		{Name: "apt-get", Package: "apt"}, {Name: "dpkg-deb", Package: "dpkg"}, {Name: "gpgv", Package: "gpgv"}, {Name: "mmdebstrap", Package: "mmdebstrap"},
	}
}

// Emulators are QEMU's for programs of Linux. The package is a static one of its own in
// Debian 12, and later a name for the one that has the same program under a shorter name.
func (Family) Emulators(arch string) []distro.Program {
	name := map[string]string{"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}[arch]
	if name == "" {
		return nil
	}
	return []distro.Program{{Name: name + "-static", Package: "qemu-user-static"}, {Name: name, Package: "qemu-user-static"}}
}

// HostFiles are dpkg's settings of this machine.
func (Family) HostFiles() []string { return []string{"/etc/dpkg"} }

// tools are what each purpose takes.
var tools = map[distro.Purpose][]string{
	distro.ForCommit:     {"ostree"},
	distro.ForImage:      {"ostree", "e2fsprogs", "dosfstools", "mtools", "fdisk"},
	distro.ForBootLoader: {"dosfstools", "mtools", "grub-common"},
	distro.ForExtension:  {"erofs-utils", "squashfs-tools"},
	distro.ForClock:      {"libfaketime"},
}

// toolsOf are those that an architecture has under a name of its own.
var toolsOf = map[distro.Purpose]map[string][]string{
	distro.ForBootLoader: {"amd64": {"grub-efi-amd64-bin"}, "arm64": {"grub-efi-arm64-bin"}},
	distro.ForMachines:   {"amd64": {"qemu-system-x86", "qemu-utils", "ovmf", "openssh-client"}, "arm64": {"qemu-system-arm", "qemu-utils", "qemu-efi-aarch64", "openssh-client"}},
}

// Data are GRUB's modules: grub-mkimage makes images for any platform.
func (Family) Data(arch string) []distro.Want {
	var wants []distro.Want
	for _, name := range toolsOf[distro.ForBootLoader][arch] {
		wants = append(wants, distro.Want{Name: name})
	}
	return wants
}

// Tools are the packages with the programs for a purpose.
func (Family) Tools(purpose distro.Purpose, arch string) []distro.Want {
	var wants []distro.Want
	for _, name := range slices.Concat(tools[purpose], toolsOf[purpose][arch]) {
		wants = append(wants, distro.Want{Name: name})
	}
	return wants
}
