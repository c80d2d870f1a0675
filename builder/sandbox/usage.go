package sandbox

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/treewright/treewright/builder/event"
)

// blockSize is the unit in which getrusage(2) counts bytes read from and written to disks.
const blockSize = 512

// Used returns what this process, and all that it started and that has ended, used so far.
func Used() event.Usage {
	u := childrenUsed()
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		u.User += time.Duration(own.Utime.Nano())
		u.System += time.Duration(own.Stime.Nano())
	}
	// Not ru_maxrss: at its start a process gets that of the one that started it.
	if own := counted("/proc/self/status")["VmHWM"] << 10; own > u.Peak {
		u.Peak = own
	}
	return u
}

// childrenUsed is [Used] without this process's own time and memory. What it reads and writes
// is in it, because the kernel has one count for both.
func childrenUsed() event.Usage {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &r) != nil {
		return event.Usage{}
	}
	u := usageOf(&r)
	u.Peak = r.Maxrss << 10
	if io := counted("/proc/self/io"); io["rchar"] > 0 {
		u.Read, u.Written, u.DiskRead, u.DiskWritten = io["rchar"], io["wchar"], io["read_bytes"], io["write_bytes"]
	}
	return u
}

// usageOf is what the kernel reports of a process that ended. Its memory is left out: that
// of a process includes the memory of the one that started it.
func usageOf(r *syscall.Rusage) event.Usage {
	return event.Usage{User: time.Duration(r.Utime.Nano()), System: time.Duration(r.Stime.Nano()), DiskRead: r.Inblock * blockSize, DiskWritten: r.Oublock * blockSize}
}

// counted reads the numbers of a file of /proc by their names; there may be no such file.
func counted(path string) map[string]int64 {
	numbers := map[string]int64{}
	f, err := os.Open(path)
	if err != nil {
		return numbers
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64); err == nil {
			numbers[name] = n
		}
	}
	return numbers
}
