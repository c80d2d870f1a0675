package vm

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Machine is a virtual machine. All paths are as QEMU sees them in its root.
type Machine struct {
	// Arch is the guest's architecture, as Debian calls it.
	Arch string
	KVM  bool
	// BIOS boots by the code in the disk's first sector in place of UEFI.
	BIOS bool
	// NoReboot ends QEMU when the guest restarts.
	NoReboot bool
	// MemoryMiB and CPUs are the machine's size.
	MemoryMiB, CPUs int
	// Disk is a qcow2 file, Firmware the file that keeps the firmware's
	// variables.
	Disk, Firmware string
	// SerialLog takes what the guest writes to its serial console; "" connects
	// the console with standard input and output.
	SerialLog string
	// Console is a socket on which the console can be used beside SerialLog, "" for
	// none.
	Console string
	// Agent is the socket to which the agent's port is connected, and Payload
	// the file that the guest finds as the disk named [payloadSerial]; "" for
	// none.
	Agent, Payload string
	// Control is the socket to which QEMU's own control connection goes; ""
	// for none.
	Control     string
	Forwards    []Forward
	Credentials []Credential
}

// Forward is a TCP port of this machine that leads to one of the guest's.
type Forward struct {
	Host  netip.AddrPort
	Guest uint16
}

// ParseForward reads "[ADDRESS:]PORT:GUESTPORT". Without an address it is
// 127.0.0.1.
func ParseForward(s string) (Forward, error) {
	bad := func() (Forward, error) {
		return Forward{}, fmt.Errorf("%q is not a port forward: it has the form [ADDRESS:]PORT:GUESTPORT, such as 8022:22", s)
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return bad()
	}
	host, guest := s[:i], s[i+1:]
	if !strings.Contains(host, ":") {
		host = "127.0.0.1:" + host
	}
	addr, err := netip.ParseAddrPort(host)
	port, perr := strconv.ParseUint(guest, 10, 16)
	if err != nil || perr != nil || !addr.Addr().Is4() || addr.Port() == 0 || port == 0 {
		return bad()
	}
	return Forward{Host: addr, Guest: uint16(port)}, nil
}

// Credential is handed to the guest's systemd (systemd.system-credentials(7)).
type Credential struct {
	Name  string
	Value []byte
}

const (
	// agentPort is the name below /dev/virtio-ports, payloadSerial the serial
	// number by which the disk is found below /dev/disk/by-id.
	agentPort     = "org.treewright.agent"
	payloadSerial = "treewright"
)

// Argv returns QEMU's command line.
func (m Machine) Argv() []string {
	board := boards[m.Arch]
	accel, cpu := "tcg,thread=multi", board.cpu
	if m.KVM {
		accel, cpu = "kvm", "host"
	}
	argv := []string{
		board.program, "-nodefaults", "-display", "none",
		"-machine", board.machine, "-accel", accel, "-cpu", cpu,
		"-smp", strconv.Itoa(m.CPUs), "-m", strconv.Itoa(m.MemoryMiB),
		// The first device: SeaBIOS tries no other disk than the first one.
		"-drive", "if=none,id=disk,format=qcow2,discard=unmap,file=" + m.Disk,
		"-device", "virtio-blk-pci,drive=disk",
		"-device", "virtio-rng-pci",
	}
	if m.BIOS {
		// SeaBIOS is QEMU's own choice; this has it speak on the serial console.
		argv = append(argv, "-machine", "graphics=off")
	} else {
		argv = append(argv,
			"-drive", "if=pflash,format=raw,readonly=on,file="+board.code,
			"-drive", "if=pflash,format=raw,file="+m.Firmware)
	}
	if m.NoReboot {
		argv = append(argv, "-no-reboot")
	}
	nic := "user,id=net"
	for _, f := range m.Forwards {
		nic += fmt.Sprintf(",hostfwd=tcp:%s:%d-:%d", f.Host.Addr(), f.Host.Port(), f.Guest)
	}
	// romfile: without the code to boot from a network, which not every package of QEMU
	// brings.
	argv = append(argv, "-netdev", nic, "-device", "virtio-net-pci,netdev=net,romfile=")
	switch {
	case m.Console != "":
		argv = append(argv, "-chardev", "socket,id=serial,server=on,wait=off,logappend=on,path="+m.Console+",logfile="+m.SerialLog, "-serial", "chardev:serial")
	case m.SerialLog != "":
		// append: the log goes on when the machine is started again.
		argv = append(argv, "-chardev", "file,id=serial,append=on,path="+m.SerialLog, "-serial", "chardev:serial")
	default:
		argv = append(argv, "-serial", "mon:stdio")
	}
	if m.Agent != "" {
		argv = append(argv, "-device", "virtio-serial-pci",
			"-chardev", "socket,id=agent,path="+m.Agent, "-device", "virtserialport,chardev=agent,name="+agentPort)
	}
	if m.Payload != "" {
		argv = append(argv, "-drive", "if=none,id=payload,format=raw,readonly=on,file="+m.Payload,
			"-device", "virtio-blk-pci,drive=payload,serial="+payloadSerial)
	}
	if m.Control != "" {
		argv = append(argv, "-qmp", "unix:"+m.Control)
	}
	for _, c := range m.Credentials {
		argv = append(argv, "-smbios", c.smbios())
	}
	return argv
}

// smbios writes the credential as systemd finds it in the firmware's tables
// (SMBIOS type 11, "OEM strings").
func (c Credential) smbios() string {
	return "type=11,value=io.systemd.credential.binary:" + c.Name + "=" + base64.StdEncoding.EncodeToString(c.Value)
}

// UnitCredentials returns what makes the guest's systemd start a unit of the
// given name and text at every boot, as part of multi-user.target.
func UnitCredentials(name, text string) []Credential {
	return []Credential{
		{Name: "systemd.extra-unit." + name, Value: []byte(text)},
		{Name: "systemd.unit-dropin.multi-user.target", Value: []byte("[Unit]\nWants=" + name + "\n")},
	}
}

// KeyCredential lets the holder of an ssh key, given as a line of
// authorized_keys, in as root.
func KeyCredential(authorized string) Credential {
	return Credential{Name: "ssh.authorized_keys.root", Value: []byte(authorized)}
}

// NewDisk returns the command that makes the files of the machine's Firmware and
// Disk, in place of those that are there. The disk begins as what is in image, a file
// of a format that QEMU knows, which is never written to, and is larger by extra bytes.
func (m Machine) NewDisk(image, format string, extra int64) []string {
	const script = `cp "$1" "$2" && qemu-img create -q -f qcow2 -F "$5" -b "$4" "$3" && exec qemu-img resize -q -f qcow2 "$3" +"$6"`
	return []string{"/bin/sh", "-c", script, "new-disk", boards[m.Arch].vars, m.Firmware, m.Disk, image, format, strconv.FormatInt(extra, 10)}
}
