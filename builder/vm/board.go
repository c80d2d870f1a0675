package vm

// board is what QEMU calls a machine of an architecture, and where Debian has the
// firmware of such a machine.
type board struct {
	program, machine, cpu string
	// code and vars are the firmware and what its variables are at first.
	code, vars string
	// console is what the kernel calls the machine's serial console.
	console string
}

var boards = map[string]board{
	"amd64": {
		// Without hpet=off emulated guests spend their time on its timer.
		program: "qemu-system-x86_64", machine: "q35,hpet=off", cpu: "max",
		code: "/usr/share/OVMF/OVMF_CODE_4M.fd", vars: "/usr/share/OVMF/OVMF_VARS_4M.fd",
		console: "ttyS0",
	},
	"arm64": {
		// Pointer authentication as the architecture defines it takes most of an emulated
		// guest's time.
		program: "qemu-system-aarch64", machine: "virt", cpu: "max,pauth-impdef=on",
		code: "/usr/share/AAVMF/AAVMF_CODE.fd", vars: "/usr/share/AAVMF/AAVMF_VARS.fd",
		console: "ttyAMA0",
	},
}
