package engine

import (
	"fmt"
	"os"
	"strings"
)

// AvailableMemory returns MemAvailable of proc_meminfo(5) in MiB, and a modest
// guess where that cannot be read.
func AvailableMemory() int {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 2048
	}
	return parseAvailable(string(text))
}

func parseAvailable(text string) int {
	for _, line := range strings.Split(text, "\n") {
		var kib int
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 2048
}
