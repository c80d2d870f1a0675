package difference

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// capabilityNames are those of capabilities(7), by number.
var capabilityNames = strings.Fields(`chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast
	net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config
	mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore`)

// capabilities are those that the extended attribute security.capability gives, as
// getcap(8) shows them. See struct vfs_cap_data in the kernel's linux/capability.h: a word
// with the revision and a flag, then permitted and inheritable, 32 bits of each at a time.
func capabilities(value string) string {
	const effective, word = 1, 4
	if len(value) < 3*word {
		return fmt.Sprintf("%x", value)
	}
	at := func(i int) uint64 {
		if (i+1)*word > len(value) {
			return 0
		}
		return uint64(binary.LittleEndian.Uint32([]byte(value[i*word:])))
	}
	permitted, inheritable := at(1)|at(3)<<32, at(2)|at(4)<<32
	var names []string
	for bit := range 64 {
		if (permitted|inheritable)>>bit&1 == 0 {
			continue
		}
		if bit < len(capabilityNames) {
			names = append(names, "cap_"+capabilityNames[bit])
		} else {
			names = append(names, fmt.Sprint(bit))
		}
	}
	flags := ""
	if at(0)&effective != 0 {
		flags += "e"
	}
	if inheritable != 0 {
		flags += "i"
	}
	if permitted != 0 {
		flags += "p"
	}
	return strings.Join(names, ",") + "=" + flags
}
