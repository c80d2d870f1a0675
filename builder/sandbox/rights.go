package sandbox

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// rightNames are the names of capabilities that steps need.
var rightNames = map[uintptr]string{
	unix.CAP_CHOWN: "CAP_CHOWN", unix.CAP_DAC_OVERRIDE: "CAP_DAC_OVERRIDE", unix.CAP_FOWNER: "CAP_FOWNER", unix.CAP_FSETID: "CAP_FSETID",
	unix.CAP_KILL: "CAP_KILL", unix.CAP_SETGID: "CAP_SETGID", unix.CAP_SETUID: "CAP_SETUID", unix.CAP_SETFCAP: "CAP_SETFCAP",
	unix.CAP_SYS_CHROOT: "CAP_SYS_CHROOT", unix.CAP_MKNOD: "CAP_MKNOD", unix.CAP_SYS_ADMIN: "CAP_SYS_ADMIN", unix.CAP_SETPCAP: "CAP_SETPCAP",
}

// Lacks returns the names of the capabilities that steps need and this process does not
// have, as root in a container may not; empty if the kernel does not report them.
func Lacks() []string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	return lacking(string(status))
}

// firstUsers is the user namespace that the kernel starts with. Its number is the same on each machine (PROC_USER_INIT_INO).
const firstUsers = "user:[4026531837]"

// InUserNamespace reports whether this process is in a user namespace other than the machine's, as in a container that an ordinary user
// starts. Root has all capabilities there. It cannot make devices, and it cannot give files to users that are not mapped. If it sets file
// capabilities, they differ from the file capabilities that the machine's root sets.
func InUserNamespace() bool {
	at, err := os.Readlink("/proc/self/ns/user")
	return err == nil && at != firstUsers
}

// lacking is [Lacks] for a text as that of /proc/PID/status.
func lacking(status string) []string {
	for line := range strings.Lines(status) {
		mask, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		has, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
		if err != nil {
			return nil
		}
		var missing []string
		for _, p := range installPowers {
			if has&(1<<p) == 0 {
				missing = append(missing, rightNames[p])
			}
		}
		return missing
	}
	return nil
}
