package vm

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestArgv(t *testing.T) {
	base := Machine{Arch: "amd64", MemoryMiB: 2048, CPUs: 2, Disk: "/vm/disk.qcow2", Firmware: "/vm/vars.fd"}
	tests := []struct {
		name       string
		change     func(*Machine)
		want, lack []string // space-separated runs of arguments
	}{
		{
			name:   "plain",
			change: func(*Machine) {},
			want: []string{
				"-machine q35,hpet=off", "-accel tcg,thread=multi", "-cpu max", "-smp 2", "-m 2048", "-serial mon:stdio",
				"-netdev user,id=net -device virtio-net-pci,netdev=net,romfile=", "if=pflash,format=raw,file=/vm/vars.fd", "-drive if=none,id=disk,format=qcow2,discard=unmap,file=/vm/disk.qcow2 -device virtio-blk-pci,drive=disk -device virtio-rng-pci",
			},
			lack: []string{"virtio-serial-pci", "-smbios", "-qmp", "graphics=off", "-no-reboot"},
		},
		{
			name:   "an old PC",
			change: func(m *Machine) { m.BIOS, m.NoReboot = true, true },
			want:   []string{"-machine graphics=off", "-no-reboot"},
			lack:   []string{"if=pflash"},
		},
		{
			name:   "arm64",
			change: func(m *Machine) { m.Arch = "arm64" },
			want:   []string{"qemu-system-aarch64 ", "-machine virt ", "-cpu max,pauth-impdef=on", "if=pflash,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd"},
			lack:   []string{"qemu-system-x86_64", "-machine q35"},
		},
		{
			name:   "kvm",
			change: func(m *Machine) { m.KVM = true },
			want:   []string{"-accel kvm", "-cpu host"},
			lack:   []string{"max", "tcg"},
		},
		{
			name: "under test",
			change: func(m *Machine) {
				m.SerialLog, m.Agent, m.Payload = "/serial.log", "/vm/agent.sock", "/vm/payload.tar"
				m.Credentials = UnitCredentials("a.service", "[Service]\n")
			},
			want: []string{
				"-chardev file,id=serial,append=on,path=/serial.log -serial chardev:serial",
				"-chardev socket,id=agent,path=/vm/agent.sock -device virtserialport,chardev=agent,name=org.treewright.agent",
				"-device virtio-blk-pci,drive=payload,serial=treewright",
				"-smbios type=11,value=io.systemd.credential.binary:systemd.extra-unit.a.service=W1NlcnZpY2VdCg==",
				"-smbios type=11,value=io.systemd.credential.binary:systemd.unit-dropin.multi-user.target=W1VuaXRdCldhbnRzPWEuc2VydmljZQo=",
			},
			lack: []string{"mon:stdio"},
		},
		{
			name: "forwards",
			change: func(m *Machine) {
				m.Forwards = []Forward{{netip.MustParseAddrPort("127.0.0.1:8022"), 22}, {netip.MustParseAddrPort("0.0.0.0:80"), 8000}}
			},
			want: []string{"-netdev user,id=net,hostfwd=tcp:127.0.0.1:8022-:22,hostfwd=tcp:0.0.0.0:80-:8000"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := base
			tt.change(&m)
			line := " " + strings.Join(m.Argv(), " ") + " "
			for _, w := range tt.want {
				if !strings.Contains(line, w) {
					t.Errorf("no %q in%s", w, line)
				}
			}
			for _, l := range tt.lack {
				if strings.Contains(line, " "+l) {
					t.Errorf("%q in%s", l, line)
				}
			}
		})
	}
}

func TestParseForward(t *testing.T) {
	good := map[string]Forward{
		"8022:22":            {netip.MustParseAddrPort("127.0.0.1:8022"), 22},
		"0.0.0.0:8080:80":    {netip.MustParseAddrPort("0.0.0.0:8080"), 80},
		"127.0.0.2:65535:1":  {netip.MustParseAddrPort("127.0.0.2:65535"), 1},
		"192.168.0.1:1:6553": {netip.MustParseAddrPort("192.168.0.1:1"), 6553},
	}
	for text, want := range good {
		if got, err := ParseForward(text); err != nil || got != want {
			t.Errorf("ParseForward(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "22", ":22", "8022:", "0:22", "22:0", "70000:22", "22:70000", "host:1:2", "[::1]:1:2", "1,2:3", "1:2,x"} {
		if got, err := ParseForward(text); err == nil {
			t.Errorf("ParseForward(%q) = %v", text, got)
		}
	}
}

func TestNewDiskQuotesNothing(t *testing.T) {
	argv := Machine{Arch: "amd64", Firmware: "/vm/vars.fd", Disk: "/vm/disk.qcow2"}.NewDisk("/image with space.raw", "raw", 4096)
	if !slices.Contains(argv, "/image with space.raw") || strings.Contains(argv[2], "image with space") {
		t.Errorf("paths must be arguments of their own: %q", argv)
	}
}
